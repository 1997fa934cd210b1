/// Text of a file or of standard input as UTF-8 blocks, whatever its encoding.
final class TextInput {
    /// What errors call it.
    let name: String
    let encoding: TextEncoding
    /// True if the encoding was detected from the content and is not a UTF.
    let isGuess: Bool
    /// Bytes of the file, nil for standard input and pipes.
    let byteCount: Int?
    /// Bytes read so far.
    private(set) var bytesRead = 0

    let stream: ByteStream
    private let isLossy: Bool
    private let transcoder: TextTranscoder?
    /// The beginning, where it had to be looked at first.
    private var head: [UInt8] = []
    private var hasHead = false
    /// Bytes of the mark at the beginning.
    private(set) var skip = 0
    private var isAtEnd = false

    convenience init(path: String, encoding requested: TextEncoding?, isLossy: Bool) throws {
        let stream = try ByteStream(path: path)
        try self.init(stream, head: stream.head(ByteStream.blockSize), encoding: requested, isLossy: isLossy)
    }

    /// - Parameter head: the stream's beginning, already read: enough for marks, formats and columns to be recognized.
    init(_ stream: ByteStream, head: [UInt8], encoding requested: TextEncoding?, isLossy: Bool) throws {
        self.stream = stream
        name = stream.name
        self.isLossy = isLossy
        byteCount = stream.fileSize
        self.head = head
        hasHead = true
        if let kind = Self.binaryKind(head) { throw DataError(.badData, "this is \(kind), not text", file: stream.name) }
        let mark = head.withUnsafeBytes { TextEncoding.mark(of: $0) }
        if let requested {
            // A mark overrules among the Unicode encodings only: the bytes FF FE may begin a text of another kind.
            if let mark, requested.isUnicode {
                (encoding, skip) = (mark.encoding, mark.length)
            } else {
                encoding = requested
            }
            isGuess = false
        } else if let mark {
            (encoding, skip, isGuess) = (mark.encoding, mark.length, false)
        } else {
            let source = stream.name
            let beginning = head
            let isLong = stream.fileSize.map { $0 > head.count } ?? false
            do {
                let found = try TextEncodingDetection(
                    name: source,
                    blocks: { body in
                        if isLong {
                            try stream.scan(body)
                        } else {
                            try beginning.withUnsafeBytes(body)
                        }
                    }, isWhole: stream.fileSize != nil || head.count < ByteStream.blockSize)
                (encoding, isGuess) = (found.encoding, found.isGuess)
            } catch let error as DataError where isLossy && error.kind == .badData {
                (encoding, isGuess) = (.utf8, false)
            }
        }
        transcoder = encoding == .utf8 ? nil : try TextTranscoder(from: encoding, isLossy: isLossy)
    }

    /// What is often given in place of text.
    private static func binaryKind(_ head: [UInt8]) -> String? {
        let kinds: [([UInt8], String)] = [
            ([0x50, 0x4B, 0x03, 0x04], "a zip file or a spreadsheet (xlsx), which is read by its name only"),
            ([0xD0, 0xCF, 0x11, 0xE0], "a file of an old or locked office document (xls); save it as xlsx or CSV"),
            ([0x89, 0x48, 0x44, 0x46], "an HDF5 file"), ([0x1F, 0x8B], "a gzip file; unpack it first"),
            ([0x25, 0x50, 0x44, 0x46, 0x2D], "a PDF"),
        ]
        return kinds.first { head.starts(with: $0.0) }?.1
    }

    /// Appends the next block of UTF-8; false at the end. Plain UTF-8 is passed on unchecked.
    func next(into output: inout [UInt8]) throws -> Bool {
        if isAtEnd { return false }
        if hasHead {
            hasHead = false
            defer { head = [] }
            try head.withUnsafeBytes { try take(UnsafeRawBufferPointer(rebasing: $0[skip...]), into: &output) }
            bytesRead = head.count
            if !head.isEmpty { return true }
        }
        let hasMore = try stream.next { block in
            bytesRead += block.count
            try take(block, into: &output)
        }
        if !hasMore {
            isAtEnd = true
            try transcode(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true, into: &output)
        }
        return hasMore
    }

    private func take(_ block: UnsafeRawBufferPointer, into output: inout [UInt8]) throws {
        if transcoder == nil { output.append(contentsOf: block) } else { try transcode(block, isLast: false, into: &output) }
    }

    /// Bytes that do not decode, found while reading; the line is counted by who knows the lines.
    struct Undecodable: Error {}

    private func transcode(_ block: UnsafeRawBufferPointer, isLast: Bool, into output: inout [UInt8]) throws {
        guard let transcoder else { return }
        do { try transcoder.convert(block, isLast: isLast, into: &output) } catch { throw Undecodable() }
    }
}

extension TextEncoding {
    var isUnicode: Bool {
        switch self {
        case .utf8, .utf16LE, .utf16BE, .utf32LE, .utf32BE: true
        default: false
        }
    }
}
