import CZlib

/// Bytes of a file or of standard input, unpacked where they are gzip (RFC 1952, several members included), a block at a time.
package final class UnpackedStream {
    /// The name under which errors speak of it.
    package var name: String { stream.name }
    /// Whether the content was packed.
    package let isPacked: Bool

    private let stream: ByteStream
    private var head: [UInt8] = []
    // zlib's own state points back at this structure, so it may not move.
    private let zlib = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private var output = [UInt8](repeating: 0, count: 1 << 18)
    private var isInMember = false
    private var isFinished = false

    /// - Throws: `DataError` if the file is missing or cannot be read.
    package init(path: String) throws {
        zlib.initialize(to: z_stream())
        stream = try ByteStream(path: path)
        var head: [UInt8] = []
        while head.count < 2, try stream.next({ head.append(contentsOf: $0) }) {}
        self.head = head
        isPacked = head.starts(with: [0x1F, 0x8B])
        if isPacked {
            // 16 asks for gzip's header, 15 for the largest window.
            guard inflateInit2_(zlib, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
                throw DataError(.inputOutput, "zlib cannot be started", file: path)
            }
            isInMember = true
        }
    }

    deinit {
        if isPacked { inflateEnd(zlib) }
        zlib.deallocate()
    }

    /// Hands the next bytes to `body`; false at the end.
    /// - Throws: `DataError` if the packed data is damaged or ends early.
    package func next(_ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool {
        if isFinished { return false }
        if !head.isEmpty {
            let first = head
            head = []
            try first.withUnsafeBytes { isPacked ? try unpack($0, body) : try body($0) }
            return true
        }
        guard isPacked else { return try stream.next(body) }
        if try stream.next({ try unpack($0, body) }) { return true }
        isFinished = true
        guard !isInMember else { throw DataError(.badData, "the gzip data ends early; the file is truncated", file: name) }
        return false
    }

    private func unpack(_ block: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard let base = block.baseAddress else { return }
        // zlib counts in 32 bits; blocks are a megabyte. It promises not to write through next_in.
        zlib.pointee.next_in = UnsafeMutablePointer(mutating: base.assumingMemoryBound(to: UInt8.self))
        zlib.pointee.avail_in = UInt32(block.count)
        while zlib.pointee.avail_in > 0 || zlib.pointee.avail_out == 0 {
            if !isInMember {
                // Some programs fill the end with zeros.
                if let next = zlib.pointee.next_in, zlib.pointee.avail_in > 0, next.pointee == 0 {
                    zlib.pointee.next_in = next + 1
                    zlib.pointee.avail_in -= 1
                    continue
                }
                if zlib.pointee.avail_in == 0 { return }
                inflateReset(zlib)
                isInMember = true
            }
            let (status, made) = output.withUnsafeMutableBufferPointer { buffer in
                zlib.pointee.next_out = buffer.baseAddress
                zlib.pointee.avail_out = UInt32(buffer.count)
                let status = inflate(zlib, Z_NO_FLUSH)
                return (status, buffer.count - Int(zlib.pointee.avail_out))
            }
            if made > 0 { try output.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<made])) } }
            switch status {
            case Z_STREAM_END: isInMember = false
            case Z_OK: break
            case Z_BUF_ERROR: return
            default: throw DataError(.badData, "the gzip data is damaged", file: name)
            }
        }
    }
}
