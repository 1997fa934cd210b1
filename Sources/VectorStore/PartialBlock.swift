import FileFormats
import Glibc

/// One block of rows in a file: a header, the texts, the vectors, and a SHA-256 over all of it.
package enum PartialBlock {
    private static let magic: [UInt8] = Array("KOTOROW1".utf8)

    package static func write(_ block: VectorBlock, first: Int, to path: String) throws {
        var bytes = magic
        func put(_ number: Int) { withUnsafeBytes(of: UInt64(number).littleEndian) { bytes.append(contentsOf: $0) } }
        func put(_ strings: [String]) {
            for string in strings {
                put(string.utf8.count)
                bytes.append(contentsOf: string.utf8)
            }
        }
        put(first)
        put(block.count)
        put(block.texts)
        put(block.groups)
        put(block.ids)
        for column in block.columns { put(column) }
        bytes.append(contentsOf: block.valid.map { $0 ? 1 : 0 })
        block.embeddings.withUnsafeBytes { bytes.append(contentsOf: $0) }
        var hash = SHA256()
        bytes.withUnsafeBytes { hash.update($0) }
        bytes += hash.finalize()
        try AtomicFile.write(to: path) { try $0.write(bytes) }
    }

    /// The block, nil if the file is missing, cut off, altered, or begins at another row.
    package static func read(_ path: String, first: Int, layout: VectorLayout) throws -> VectorBlock? {
        guard access(path, F_OK) == 0 else { return nil }
        let file = try MappedFile(path: path)
        return file.withUnsafeBytes { all in
            guard all.count >= magic.count + 16 + 32, all.starts(with: magic) else { return nil }
            let body = UnsafeRawBufferPointer(rebasing: all[..<(all.count - 32)])
            var hash = SHA256()
            hash.update(body)
            guard all[(all.count - 32)...].elementsEqual(hash.finalize()) else { return nil }
            var reader = Reader(bytes: body, offset: magic.count)
            guard reader.number() == first, let rows = reader.number(), rows > 0, rows <= body.count else { return nil }
            var block = VectorBlock(layout: layout)
            guard let texts = reader.strings(rows), let groups = reader.strings(layout.hasGroups ? rows : 0),
                let ids = reader.strings(layout.hasIDs ? rows : 0)
            else { return nil }
            (block.texts, block.groups, block.ids) = (texts, groups, ids)
            for index in block.columns.indices {
                guard let column = reader.strings(rows) else { return nil }
                block.columns[index] = column
            }
            guard let valid = reader.take(rows) else { return nil }
            block.valid = valid.map { $0 != 0 }
            let size = rows.multipliedReportingOverflow(by: 4 * layout.dimension)
            guard !size.overflow, let values = reader.take(size.partialValue), reader.offset == body.count else { return nil }
            block.embeddings = [Float](unsafeUninitializedCapacity: rows * layout.dimension) { buffer, count in
                UnsafeMutableRawBufferPointer(buffer).copyMemory(from: values)
                count = rows * layout.dimension
            }
            return block
        }
    }

    /// How many rows a block says it has, without a look at whether it is whole; nil where it is missing or no block.
    package static func rows(_ path: String) -> Int? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var header = [UInt8](repeating: 0, count: magic.count + 16)
        guard Glibc.read(descriptor, &header, header.count) == header.count, header.starts(with: magic) else { return nil }
        return header.withUnsafeBytes { bytes in
            var reader = Reader(bytes: bytes, offset: magic.count + 8)
            return reader.number()
        }
    }

    private struct Reader {
        let bytes: UnsafeRawBufferPointer
        var offset: Int

        mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
            guard count >= 0, count <= bytes.count - offset else { return nil }
            defer { offset += count }
            return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
        }
        mutating func number() -> Int? {
            take(8).flatMap { Int(exactly: UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self))) }
        }
        mutating func strings(_ count: Int) -> [String]? {
            var strings: [String] = []
            for _ in 0..<count {
                guard let length = number(), let text = take(length) else { return nil }
                strings.append(String(decoding: text, as: UTF8.self))
            }
            return strings
        }
    }
}
