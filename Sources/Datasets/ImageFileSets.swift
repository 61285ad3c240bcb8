import GossamerImages

extension Dataset {
    /// Reads a tar archive, or several that are taken together, of image files in folders named after their classes.
    static func tar(_ files: [String], name: String, cacheByteLimit: Int) throws(DatasetError) -> Dataset {
        var opened: [FileBytes] = []
        var isCompressed = false
        for file in files {
            guard let bytes = try FileBytes(path: file) else { throw .unreadable(file: file, reason: "no such file") }
            isCompressed = try bytes.isGzip() || isCompressed
            opened.append(bytes)
        }
        var index = ImageIndex()
        var places: [TarImages.Place] = []
        var contents: [UInt8] = []
        var ends: [Int] = []
        for (number, file) in opened.enumerated() {
            let source: any TarSource = isCompressed
                ? TarStream(try ByteReader.open(file: file.path, allowsMembers: true)!) : TarFile(file)
            index.beginRoot("\(file.path): ")
            var reader = TarReader(source)
            while let entry = try reader.next() {
                guard try index.add(entry.name, byteCount: entry.byteCount) else { continue }
                if isCompressed {
                    contents += try source.read(entry.byteCount, at: entry.offset, field: "image", orEnd: false)!
                    ends.append(contents.count)
                } else {
                    places.append(TarImages.Place(archive: number, offset: entry.offset))
                }
            }
        }
        let images: any EncodedImages = isCompressed
            ? BufferedImages(contents: contents, ends: ends, files: index.files)
            : TarImages(archives: opened.map { TarFile($0) }, places: places, files: index.files)
        return try Dataset(images, index, name: name, cacheByteLimit: cacheByteLimit)
    }

    init(
        _ images: any EncodedImages, _ index: ImageIndex, name: String, cacheByteLimit: Int
    ) throws(DatasetError) {
        let places = index.places()
        guard !places.train.isEmpty, !places.test.isEmpty else {
            throw .invalidField(
                file: name, field: places.train.isEmpty ? "training images" : "test images", found: "none",
                expected: "JPEG or PNG files in folders named after their classes, such as train/CLASS/NAME.jpg")
        }
        let channels = try images.channels()
        let cached = try PixelStore.decoding(images, byteLimit: cacheByteLimit)
        let whole = LabelledImages(
            name: name, shape: cached?.commonShape, channels: channels, labels: index.labels,
            classNames: index.classNames, store: cached ?? EncodedStore(images))
        self.init(
            train: whole.subset(places.train, name: "\(name) training"),
            test: whole.subset(places.test, name: "\(name) test"),
            validation: places.validation.map { whole.subset($0, name: "\(name) validation") })
    }
}
