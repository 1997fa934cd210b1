import CZip
import Glibc

/// The parts of a zip file, read one at a time as a stream, with limits against archives that unpack to more than anyone has room for.
final class ZipArchive {
    private let archive: OpaquePointer
    private let path: String
    /// What the library reads from as long as the archive is open.
    private let bytes: UnsafeMutableRawBufferPointer
    /// Bytes that may still be unpacked.
    private var allowance: Int

    /// Texts and numbers of a spreadsheet shrink to a tenth or less, hardly ever to a two-hundredth.
    private static let ratioLimit = 200
    private static let smallestLimit = 64 << 20
    private static let largestLimit = 1 << 30

    /// - Parameters:
    ///   - bytes: the whole archive, as it was read; it may have come through a pipe.
    ///   - path: for errors.
    init(_ bytes: [UInt8], path: String) throws {
        self.path = path
        allowance = min(
            max(bytes.count.multipliedReportingOverflow(by: Self.ratioLimit).partialValue, Self.smallestLimit), Self.largestLimit)
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes.count, 1), alignment: 16)
        copy.copyBytes(from: bytes)
        var error = zip_error_t()
        zip_error_init(&error)
        defer { zip_error_fini(&error) }
        let source = zip_source_buffer_create(copy.baseAddress, zip_uint64_t(bytes.count), 0, &error)
        guard let source, let archive = zip_open_from_source(source, ZIP_RDONLY, &error) else {
            if let source { zip_source_free(source) }
            copy.deallocate()
            throw DataError(
                .badData,
                "not a spreadsheet (xlsx), or a damaged one: "
                    + "\(String(cString: zip_error_strerror(&error)))", file: path)
        }
        self.archive = archive
        self.bytes = copy
    }

    deinit {
        zip_discard(archive)
        bytes.deallocate()
    }

    func contains(_ name: String) -> Bool { zip_name_locate(archive, name, 0) >= 0 }

    /// Unpacks a part block by block.
    func read(_ name: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        func damaged(_ what: String) -> DataError { DataError(.badData, "the spreadsheet's part \(name) \(what)", file: path) }
        guard let part = zip_fopen(archive, name, 0) else {
            throw damaged("is missing or cannot be read: \(String(cString: zip_strerror(archive)))")
        }
        defer { zip_fclose(part) }
        let size = 1 << 16, block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        defer { block.deallocate() }
        var memory = MemoryBudget.Meter()
        while true {
            let count = Int(zip_fread(part, block, zip_uint64_t(size)))
            guard count >= 0 else { throw damaged("is damaged: \(String(cString: zip_error_strerror(zip_file_get_error(part))))") }
            if count == 0 { return }
            allowance -= count
            guard allowance >= 0 else { throw damaged("unpacks to more than a spreadsheet plausibly contains") }
            try memory.add(count, for: "this spreadsheet", file: path)
            try body(UnsafeRawBufferPointer(start: block, count: count))
        }
    }
}
