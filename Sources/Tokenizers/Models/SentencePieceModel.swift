import FileFormats
import Foundation

/// What a SentencePiece `.model` file holds: the protocol buffer `ModelProto` of sentencepiece_model.proto, read field by field.
struct SentencePieceModel {
    enum Kind: Int {
        case unigram = 1, bytePair = 2, word = 3, character = 4
    }
    enum PieceType: Int {
        case normal = 1, unknown = 2, control = 3, userDefined = 4, unused = 5, byte = 6
    }
    struct Piece {
        var text = ""
        var score: Float = 0
        var type = PieceType.normal
    }

    var pieces: [Piece] = []
    var kind = Kind.unigram
    var usesBytes = false
    var whitespaceIsSuffix = false
    var characterMap: [UInt8] = []
    var addsDummyPrefix = true
    var removesExtraSpaces = true
    var escapesSpaces = true
    private let file: String

    init(_ url: URL) throws {
        file = url.lastPathComponent
        let bytes = [UInt8](try readFile(url))
        try Self.forEachField(bytes[...], file) { number, field in
            switch number {
            case 1: pieces.append(try piece(field.bytes(file)))
            case 2: try readTrainer(field.bytes(file))
            case 3: try readNormalizer(field.bytes(file))
            default: break
            }
        }
        guard !pieces.isEmpty else { throw DataError(.badData, "not a SentencePiece model: it has no pieces", file: file) }
        guard kind == .unigram || kind == .bytePair else {
            throw DataError(
                .badData, "SentencePiece models of type \(kind) are not supported; supported types: unigram, bytePair", file: file)
        }
    }

    private func piece(_ bytes: ArraySlice<UInt8>) throws -> Piece {
        var piece = Piece()
        try Self.forEachField(bytes, file) { number, field in
            switch number {
            case 1: piece.text = try field.string(file)
            case 2: piece.score = try field.float(file)
            case 3:
                guard let type = PieceType(rawValue: try field.int(file)) else { throw Self.damaged(file, "a piece has an unknown type") }
                piece.type = type
            default: break
            }
        }
        guard piece.score.isFinite else { throw Self.damaged(file, "the score of \(piece.text.debugDescription) is not a number") }
        return piece
    }

    private mutating func readTrainer(_ bytes: ArraySlice<UInt8>) throws {
        try Self.forEachField(bytes, file) { number, field in
            switch number {
            case 3:
                guard let kind = Kind(rawValue: try field.int(file)) else { throw Self.damaged(file, "its model type is unknown") }
                self.kind = kind
            case 24: whitespaceIsSuffix = try field.int(file) != 0
            case 35: usesBytes = try field.int(file) != 0
            default: break
            }
        }
    }

    private mutating func readNormalizer(_ bytes: ArraySlice<UInt8>) throws {
        try Self.forEachField(bytes, file) { number, field in
            switch number {
            case 2: characterMap = Array(try field.bytes(file))
            case 3: addsDummyPrefix = try field.int(file) != 0
            case 4: removesExtraSpaces = try field.int(file) != 0
            case 5: escapesSpaces = try field.int(file) != 0
            default: break
            }
        }
    }

    // MARK: The wire format

    private enum Field {
        case varint(UInt64), fixed32(UInt32), bytes(ArraySlice<UInt8>), other

        func int(_ file: String) throws -> Int {
            guard case .varint(let value) = self else { throw damaged(file, "a field has the wrong wire type") }
            return Int(truncatingIfNeeded: value)
        }
        func float(_ file: String) throws -> Float {
            guard case .fixed32(let bits) = self else { throw damaged(file, "a field has the wrong wire type") }
            return Float(bitPattern: bits)
        }
        func bytes(_ file: String) throws -> ArraySlice<UInt8> {
            guard case .bytes(let bytes) = self else { throw damaged(file, "a field has the wrong wire type") }
            return bytes
        }
        func string(_ file: String) throws -> String {
            let bytes = try bytes(file)
            guard bytes.withUnsafeBufferPointer({ UTF8Scalars.isValid($0) }) else { throw damaged(file, "a string is not UTF-8") }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    private static func damaged(_ file: String, _ what: String) -> DataError {
        DataError(.badData, "not a SentencePiece model, or damaged: \(what)", file: file)
    }

    private static func forEachField(_ bytes: ArraySlice<UInt8>, _ file: String, _ body: (Int, Field) throws -> Void) throws {
        var i = bytes.startIndex
        func varint() throws -> UInt64 {
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), through: 63, by: 7) {
                guard i < bytes.endIndex else { throw damaged(file, "it is truncated") }
                let byte = bytes[i]
                i += 1
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return value }
            }
            throw damaged(file, "a number is too long")
        }
        func take(_ count: UInt64) throws -> ArraySlice<UInt8> {
            guard count <= UInt64(bytes.endIndex - i) else { throw damaged(file, "it is truncated") }
            defer { i += Int(count) }
            return bytes[i..<i + Int(count)]
        }
        while i < bytes.endIndex {
            let key = try varint()
            let field: Field
            switch key & 7 {
            case 0: field = .varint(try varint())
            case 1:
                _ = try take(8)
                field = .other
            case 2: field = .bytes(try take(try varint()))
            case 5: field = .fixed32(try take(4).reversed().reduce(0) { $0 << 8 | UInt32($1) })
            default: throw damaged(file, "a field has an unknown wire type")
            }
            try body(Int(truncatingIfNeeded: key >> 3 & 0xFFFF_FFFF), field)
        }
    }
}
