import CZip
import Glibc

/// The parts of a zip file, read one at a time as a stream, with limits against archives that unpack to more than anyone has room for.
final class ZipArchive {
    private let archive: OpaquePointer
    private let path: String
    /// Bytes that may still be unpacked.
    private var allowance: Int

    /// Texts and numbers of a spreadsheet shrink to a tenth or less, hardly ever to a two-hundredth.
    private static let ratioLimit = 200
    private static let smallestLimit = 64 << 20
    private static let largestLimit = 1 << 30

    init(path: String) throws {
        self.path = path
        var information = stat()
        guard stat(path, &information) == 0 else { throw SystemError.cannotRead(path) }
        allowance = min(max(Int(information.st_size).multipliedReportingOverflow(by: Self.ratioLimit).partialValue, Self.smallestLimit), Self.largestLimit)
        var code: Int32 = 0
        guard let archive = zip_open(path, ZIP_RDONLY, &code) else {
            if access(path, R_OK) != 0 { throw SystemError.cannotRead(path) }
            var error = zip_error_t()
            zip_error_init_with_code(&error, code)
            defer { zip_error_fini(&error) }
            throw DataError(.badData, "this is no spreadsheet (xlsx), or a damaged one: \(String(cString: zip_error_strerror(&error)))", file: path)
        }
        self.archive = archive
    }

    deinit { zip_discard(archive) }

    func contains(_ name: String) -> Bool { zip_name_locate(archive, name, 0) >= 0 }

    /// Unpacks a part block by block.
    func read(_ name: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        func damaged(_ what: String) -> DataError { DataError(.badData, "the spreadsheet's part \(name) \(what)", file: path) }
        guard let part = zip_fopen(archive, name, 0) else { throw damaged("is missing or cannot be read: \(String(cString: zip_strerror(archive)))") }
        defer { zip_fclose(part) }
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { block.deallocate() }
        var memory = MemoryBudget.Meter()
        while true {
            let count = Int(zip_fread(part, block.baseAddress, zip_uint64_t(block.count)))
            guard count >= 0 else { throw damaged("is damaged: \(String(cString: zip_error_strerror(zip_file_get_error(part))))") }
            if count == 0 { return }
            allowance -= count
            guard allowance >= 0 else { throw damaged("unpacks to more than a spreadsheet can sensibly hold") }
            try memory.add(count, for: "this spreadsheet", file: path)
            try body(UnsafeRawBufferPointer(rebasing: block[..<count]))
        }
    }
}
