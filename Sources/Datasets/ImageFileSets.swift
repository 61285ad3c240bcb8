import GossamerImages
import GossamerTensors

/// Image files in folders named after their classes: in a folder, or in tar archives.
struct ImageFileSets {
    /// What error messages and reports call the set.
    let name: String
    /// Of decoded images.
    let cacheByteLimit: Int
    /// Image files in the buffer that a stream is drawn from; nil for what usually fits.
    let bufferedImages: Int?

    func open(folder: String) throws(DatasetError) -> Dataset {
        var index = ImageIndex()
        index.beginRoot(folder.hasSuffix("/") ? folder : folder + "/")
        try FolderWalk.forEachFile(in: folder) { (path, byteCount) throws(DatasetError) in
            _ = try index.add(path, byteCount: byteCount)
        }
        return try dataset(FolderImages(files: index.files), index)
    }

    /// Archives that are taken together; a folder stands for those in it.
    func open(archives paths: [String]) throws(DatasetError) -> Dataset {
        var files: [FileBytes] = []
        var isCompressed = false
        for path in try Self.expanded(paths) {
            guard let file = try FileBytes(path: path) else { throw .unreadable(file: path, reason: "no such file") }
            isCompressed = try file.isGzip() || isCompressed
            files.append(file)
        }
        return try isCompressed ? open(streams: files) : open(plain: files.map { TarFile($0) })
    }

    private static func expanded(_ paths: [String]) throws(DatasetError) -> [String] {
        var expanded: [String] = []
        for path in paths {
            guard FolderWalk.isFolder(path) else {
                expanded.append(path)
                continue
            }
            let folder = path.hasSuffix("/") ? path : path + "/"
            let count = expanded.count
            try FolderWalk.forEachFile(in: path) { (name, _) throws(DatasetError) in
                if [".tar", ".tar.gz", ".tgz"].contains(where: name.hasSuffix) { expanded.append(folder + name) }
            }
            guard expanded.count > count else {
                throw .invalidField(
                    file: path, field: "archives", found: "none", expected: "files named .tar or .tar.gz")
            }
        }
        return expanded
    }

    private func open(plain archives: [TarFile]) throws(DatasetError) -> Dataset {
        var index = ImageIndex()
        var places: [TarImages.Place] = []
        for (number, archive) in archives.enumerated() {
            index.beginRoot("\(archive.name): ")
            var reader = TarReader(archive)
            while let entry = try reader.next() {
                guard try index.add(entry.name, byteCount: entry.byteCount) else { continue }
                places.append(TarImages.Place(archive: number, offset: entry.offset))
            }
        }
        return try dataset(TarImages(archives: archives, places: places, files: index.files), index)
    }

    /// Compressed archives are read from beginning to end. Where their image files, and the images decoded, fit into
    /// the cache, that happens once.
    private func open(streams archives: [FileBytes]) throws(DatasetError) -> Dataset {
        var index = ImageIndex()
        var places: [StreamedStore.Place] = []
        var shapes: [Shape] = []
        var buffer: BufferedImages.Contents? = BufferedImages.Contents()
        for (number, archive) in archives.enumerated() {
            index.beginRoot("\(archive.path): ")
            let stream = TarStream(try ByteReader(file: archive, allowsMembers: true))
            var reader = TarReader(stream)
            while let entry = try reader.next() {
                guard try index.add(entry.name, byteCount: entry.byteCount) else { continue }
                places.append(StreamedStore.Place(archive: number, offset: entry.offset))
                let bytes = try stream.content(of: entry)
                shapes.append(try shape(of: bytes, index))
                buffer?.append(bytes)
                if let count = buffer?.byteCount, count > cacheByteLimit { buffer = nil }
            }
        }
        let shape = Self.commonShape(ImageSample(of: shapes.count).map { shapes[$0] })
        if let buffer, shapes.reduce(0, { $0 + $1.count }) <= cacheByteLimit {
            let images = BufferedImages(buffer, files: index.files)
            return try dataset(PixelStore.decoding(images, shapes), index, shape)
        }
        let store = StreamedStore(
            archives: archives, places: places, files: index.files, bufferedImages: bufferedImages)
        return try dataset(store, index, shape)
    }

    /// Colour where there is any, and the size that all have, or nil.
    private static func commonShape(_ shapes: [Shape]) -> (channels: Int, size: PixelSize?) {
        let size = shapes.first.map { PixelSize($0) }
        return (
            shapes.contains { $0.channels == 3 } ? 3 : 1, shapes.allSatisfy { PixelSize($0) == size } ? size : nil)
    }

    private func shape(of bytes: [UInt8], _ index: borrowing ImageIndex) throws(DatasetError) -> Shape {
        do throws(ImageError) {
            return try PixelImage.shape(of: bytes, name: index.files.path(index.files.count - 1))
        } catch {
            throw .image(error)
        }
    }

    /// Files that can be read in any order are decoded into memory where that has room for all.
    private func dataset(_ images: any EncodedImages, _ index: ImageIndex) throws(DatasetError) -> Dataset {
        var sampled: [Shape] = []
        for place in ImageSample(of: images.files.count) { sampled.append(try images.shape(of: place)) }
        let shape = Self.commonShape(sampled)
        // Hardly an image file is larger than its pixels.
        if images.files.byteCount <= cacheByteLimit {
            let shapes = try images.shapes()
            if shapes.reduce(0, { $0 + $1.count }) <= cacheByteLimit {
                return try dataset(PixelStore.decoding(images, shapes), index, shape)
            }
        }
        return try dataset(EncodedStore(images), index, shape)
    }

    private func dataset(
        _ store: any ImageStore, _ index: ImageIndex, _ shape: (channels: Int, size: PixelSize?)
    ) throws(DatasetError) -> Dataset {
        let places = index.places()
        guard !places.train.isEmpty, !places.test.isEmpty else {
            throw .invalidField(
                file: name, field: places.train.isEmpty ? "training images" : "test images", found: "none",
                expected: "JPEG or PNG files in folders named after their classes, such as train/CLASS/NAME.jpg")
        }
        let whole = LabelledImages(
            name: name,
            shape: shape.size.map { Shape(channels: shape.channels, height: $0.height, width: $0.width) },
            channels: shape.channels, labels: index.labels, classNames: index.classNames, store: store)
        return Dataset(
            train: whole.subset(places.train, name: "\(name) training"),
            test: whole.subset(places.test, name: "\(name) test"),
            validation: places.validation.map { whole.subset($0, name: "\(name) validation") })
    }
}
