import CZip
import Glibc
import Synchronization

/// Weights of a `pytorch_model.bin` as `torch.save` has written them since PyTorch 1.6: a zip with a pickle that describes the tensors
/// and a file for each storage. Read as data alone; see `TorchPickle`.
package final class TorchCheckpoint: TensorSource {
    package let path: String
    private let views: [String: TorchPickle.TensorView]
    /// The folder inside the zip.
    private let prefix: String
    private let archive: Mutex<Archive>

    /// A handle of libzip. Sendable, since it is used under the lock of `archive` alone.
    private struct Archive: @unchecked Sendable {
        let handle: OpaquePointer
        let fileSize: Int
    }

    /// Every tensor is unpacked again on each call.
    package var isMapped: Bool { false }
    package var names: [String] { views.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

    private static let pickleLimit = 256 << 20
    /// How files begin that PyTorch before 1.6 wrote: a pickled magic number.
    private static let legacyMagic: [UInt8] = [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]

    /// Reads the description of the tensors; their values come when they are asked for.
    /// - Throws: `DataError` if the file is damaged, of the format before PyTorch 1.6, or wants anything but tensors.
    package init(path: String) throws {
        self.path = path
        let file = try MappedFile(path: path)
        let start = file.withUnsafeBytes { Array($0.prefix(16)) }
        if start.starts(with: Self.legacyMagic) {
            throw DataError(
                .badData,
                "this checkpoint has the format from before PyTorch 1.6, which is not supported; load it once with "
                    + "a newer PyTorch "
                    + "and save it again, best as safetensors", file: path)
        }
        var code: Int32 = 0
        guard start.starts(with: [0x50, 0x4B]), let handle = zip_open(path, ZIP_RDONLY, &code) else {
            throw DataError(.badData, "not a PyTorch checkpoint (a zip file), or a damaged one", file: path)
        }
        let archive = Archive(handle: handle, fileSize: file.count)
        var isKept = false
        defer { if !isKept { zip_discard(handle) } }

        func damaged(_ message: String) -> DataError { DataError(.badData, message, file: path) }
        let entries = zip_get_num_entries(handle, 0)
        guard entries > 0, entries < 10_000_000 else { throw damaged("this checkpoint is an empty zip file") }
        let names = (0..<zip_uint64_t(entries)).compactMap { zip_get_name(handle, $0, 0).map { String(cString: $0) } }
        let pickles = names.filter { $0 == "data.pkl" || $0.hasSuffix("/data.pkl") && $0.utf8.count { $0 == UInt8(ascii: "/") } == 1 }
        guard pickles.count == 1 else {
            throw damaged("this zip file is not a PyTorch checkpoint: expected one data.pkl, found \(pickles.count)")
        }
        let prefix = String(pickles[0].dropLast("data.pkl".count))
        if names.contains(prefix + "byteorder"),
            try Self.bytes(of: prefix + "byteorder", in: archive, limit: 64, path: path) != Array("little".utf8)
        {
            throw damaged("this checkpoint was written on a big-endian machine; save it again on a little-endian one")
        }
        let pickle = try Self.bytes(of: pickles[0], in: archive, limit: Self.pickleLimit, path: path)
        let tensors = try pickle.withUnsafeBytes { try TorchPickle.tensors($0, path: path) }
        // As Python's dictionaries: of equal names the last one counts.
        views = Dictionary(tensors.map { ($0.name, $0.view) }, uniquingKeysWith: { $1 })
        self.prefix = prefix
        self.archive = Mutex(archive)
        isKept = true
    }

    deinit { archive.withLock { zip_discard($0.handle) } }

    package subscript(name: String) -> SafetensorsEntry? {
        views[name].map { view in
            let count = view.shape.reduce(1, *)
            return SafetensorsEntry(
                name: name, dtype: view.storage.dtype, shape: view.shape, byteRange: 0..<count * view.storage.dtype.size)
        }
    }

    /// The tensor's elements row-major, gathered where the file has them by other strides (a transposed matrix, say).
    package func withBytes<Result>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        guard let view = views[name] else { throw DataError(.badData, "no tensor \(name)", file: path) }
        let size = view.storage.dtype.size, wanted = view.storage.count * size
        let storage = try archive.withLock { try Self.bytes(of: prefix + "data/" + view.storage.key, in: $0, limit: wanted, path: path) }
        guard storage.count == wanted else {
            throw DataError(
                .badData,
                "the storage of tensor \(name) has \(storage.count) bytes, expected \(wanted); the file is "
                    + "damaged", file: path)
        }
        return try storage.withUnsafeBytes { storage in
            let count = view.shape.reduce(1, *)
            if view.isContiguous {
                return try body(UnsafeRawBufferPointer(rebasing: storage[view.offset * size..<(view.offset + count) * size]))
            }
            let gathered = [UInt8](unsafeUninitializedCapacity: count * size) { buffer, initialized in
                view.forEachElement { place, element in
                    UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[place * size..<(place + 1) * size])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[element * size..<(element + 1) * size]))
                }
                initialized = count * size
            }
            return try gathered.withUnsafeBytes(body)
        }
    }

    /// A file of the zip, whole. Its length is checked before room is made for it.
    private static func bytes(of name: String, in archive: Archive, limit: Int, path: String) throws -> [UInt8] {
        func damaged(_ what: String) -> DataError { DataError(.badData, "the checkpoint's part \(name) \(what)", file: path) }
        var information = zip_stat_t()
        let place = zip_name_locate(archive.handle, name, 0)
        guard place >= 0, zip_stat_index(archive.handle, zip_uint64_t(place), 0, &information) == 0 else { throw damaged("is missing") }
        guard information.size <= UInt64(limit) else { throw damaged("has \(information.size) bytes, expected at most \(limit)") }
        // Storages are not compressed, so none is longer than the file: a false claim would only make room for nothing.
        guard Int32(information.comp_method) == ZIP_CM_STORE ? information.size <= UInt64(archive.fileSize) : information.size <= 64 << 20
        else {
            throw damaged("claims \(information.size) bytes, more than the file can contain")
        }
        guard let file = zip_fopen(archive.handle, name, 0) else {
            throw damaged("cannot be read: \(String(cString: zip_strerror(archive.handle)))")
        }
        defer { zip_fclose(file) }
        let count = Int(information.size)
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = 0
            while initialized < count {
                let got = Int(zip_fread(file, buffer.baseAddress! + initialized, zip_uint64_t(count - initialized)))
                guard got > 0 else {
                    failed = true
                    return
                }
                initialized += got
            }
        }
        guard !failed else { throw damaged("is damaged or truncated") }
        return bytes
    }
}

extension TorchPickle.TensorView {
    fileprivate var isContiguous: Bool {
        var expected = 1
        for (length, stride) in zip(shape, strides).reversed() {
            if length != 1, stride != expected { return shape.contains(0) }
            expected *= max(length, 1)
        }
        return true
    }

    /// Calls `body(place, element)`: the row-major place, and where in the storage its element lies.
    fileprivate func forEachElement(_ body: (Int, Int) -> Void) {
        let count = shape.reduce(1, *)
        var index = [Int](repeating: 0, count: shape.count), element = offset
        for place in 0..<count {
            body(place, element)
            for axis in shape.indices.reversed() {
                index[axis] += 1
                // Wrapping: an axis of length 1 may state any stride, and is left at once.
                element &+= strides[axis]
                if index[axis] < shape[axis] { break }
                element &-= strides[axis] &* shape[axis]
                index[axis] = 0
            }
        }
    }
}
