import CExpat

/// Walks through XML as it comes in: begin, text and end of elements, names without their prefixes. A document that declares types or
/// entities is refused; spreadsheets have none.
final class XMLStream {
    var onBegin: (_ name: String, _ attributes: [String: String]) throws -> Void = { _, _ in }
    var onEnd: (_ name: String) throws -> Void = { _ in }
    var onText: (_ text: UnsafeRawBufferPointer) throws -> Void = { _ in }

    private let parser: XML_Parser
    private let name: String
    private let file: String
    private var failure: (any Error)?
    private var depth = 0
    /// Bytes since the last element or text: the parser keeps what it has not seen the end of.
    private var pending = 0

    private static let maximumDepth = 256
    /// Spreadsheets have no longer tags, comments or instructions: their cells have at most 32,767 characters.
    private static let longestPiece = 8 << 20

    /// `name` is the part's and `file` the whole file's, for errors.
    init(name: String, file: String) {
        guard let parser = XML_ParserCreate(nil) else { preconditionFailure("out of memory") }
        self.parser = parser
        self.name = name
        self.file = file
        XML_SetUserData(parser, Unmanaged.passUnretained(self).toOpaque())
        XML_SetElementHandler(
            parser,
            { data, name, attributes in
                XMLStream.from(data)?.begin(name, attributes)
            },
            { data, name in
                XMLStream.from(data)?.end(name)
            })
        XML_SetCharacterDataHandler(parser) { data, text, count in
            guard let stream = XMLStream.from(data), stream.failure == nil else { return }
            stream.guarded { try stream.onText(UnsafeRawBufferPointer(start: text, count: Int(count))) }
        }
        XML_SetStartDoctypeDeclHandler(parser) { data, _, _, _, _ in
            guard let stream = XMLStream.from(data) else { return }
            stream.guarded {
                throw DataError(
                    .badData,
                    "the spreadsheet's part \(stream.name) declares a document type, which is not "
                        + "allowed in spreadsheets", file: stream.file)
            }
        }
    }

    deinit { XML_ParserFree(parser) }

    private static func from(_ data: UnsafeMutableRawPointer?) -> XMLStream? {
        data.map { Unmanaged<XMLStream>.fromOpaque($0).takeUnretainedValue() }
    }

    func take(_ bytes: UnsafeRawBufferPointer) throws {
        pending += bytes.count
        guard pending <= Self.longestPiece else {
            throw DataError(
                .badData, "the spreadsheet's part \(name) has a tag or a comment of more than \(Self.longestPiece) bytes", file: file)
        }
        try parse(bytes.baseAddress, bytes.count, isLast: false)
    }
    func finish() throws { try parse(nil, 0, isLast: true) }

    private func parse(_ bytes: UnsafeRawPointer?, _ count: Int, isLast: Bool) throws {
        let status = XML_Parse(parser, bytes?.assumingMemoryBound(to: CChar.self), Int32(count), isLast ? 1 : 0)
        if let failure { throw failure }
        guard status == XML_STATUS_OK else {
            let reason = XML_ErrorString(XML_GetErrorCode(parser)).map { String(cString: $0) } ?? "unknown error"
            throw DataError(.badData, "the spreadsheet's part \(name) is damaged: \(reason)", file: file)
        }
    }

    private func guarded(_ body: () throws -> Void) {
        guard failure == nil else { return }
        pending = 0
        do {
            try body()
        } catch {
            failure = error
            XML_StopParser(parser, 0)
        }
    }

    private func begin(_ name: UnsafePointer<XML_Char>?, _ attributes: UnsafeMutablePointer<UnsafePointer<XML_Char>?>?) {
        guarded {
            depth += 1
            guard depth <= Self.maximumDepth else {
                throw DataError(.badData, "the spreadsheet's part \(self.name) is nested too deeply", file: file)
            }
            var values: [String: String] = [:]
            var next = attributes
            while let key = next?.pointee, let value = next?[1] {
                values[Self.local(key)] = String(cString: value)
                next = next?.advanced(by: 2)
            }
            if let name { try onBegin(Self.local(name), values) }
        }
    }

    private func end(_ name: UnsafePointer<XML_Char>?) {
        guarded {
            depth -= 1
            if let name { try onEnd(Self.local(name)) }
        }
    }

    private static func local(_ name: UnsafePointer<XML_Char>) -> String {
        let text = String(cString: name)
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else { return text }
        return String(text[text.index(after: colon)...])
    }
}
