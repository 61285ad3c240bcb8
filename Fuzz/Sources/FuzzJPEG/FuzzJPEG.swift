import FuzzImages

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    fuzzImages(magic: [0xff, 0xd8, 0xff], data, count)
}
