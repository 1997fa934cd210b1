import Foundation
import HummingbirdCore
import Kotonoha

/// The fields of a request's JSON object, each read with its type or refused by name. Fields that nobody reads are left alone, since clients send many.
struct Fields {
    private let members: [String: JSON]

    /// - Throws: `APIError` 400 where the body is not a JSON object.
    init(_ bytes: [UInt8]) throws {
        do {
            let json = try bytes.withUnsafeBytes { try JSON(parsing: $0) }
            guard let members = json.dictionary else { throw APIError.invalid("the body is not a JSON object") }
            self.members = members
        } catch let error as DataError {
            throw APIError.invalid("the body is not JSON: \(error.message)")
        }
    }

    /// The query of a GET as strings.
    init(query uri: URI) {
        members = Dictionary(
            uri.queryParameters.map { (String($0.key), JSON.string(String($0.value).removingPercentEncoding ?? String($0.value))) },
            uniquingKeysWith: { first, _ in first })
    }

    private init(members: [String: JSON]) { self.members = members }

    /// nil where the field is absent or null.
    subscript(key: String) -> JSON? { members[key].flatMap { $0.isNull ? nil : $0 } }

    func object(_ key: String) throws -> Fields? {
        guard let value = self[key] else { return nil }
        guard let members = value.dictionary else { throw wrong(key, "an object") }
        return Fields(members: members)
    }

    func string(_ key: String) throws -> String? {
        guard let value = self[key] else { return nil }
        guard let text = value.string else { throw wrong(key, "a string") }
        return text
    }

    func required(_ key: String) throws -> String {
        guard let text = try string(key) else { throw APIError.invalid("'\(key)' is missing", parameter: key) }
        return text
    }

    func bool(_ key: String) throws -> Bool? {
        guard let value = self[key] else { return nil }
        guard let flag = value.bool else { throw wrong(key, "true or false") }
        return flag
    }

    func integer(_ key: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let value = self[key] else { return nil }
        guard let number = value.int, range.contains(number) else {
            throw wrong(key, "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A number of each place, as in a vector.
    func numbers(_ key: String) throws -> [Float]? {
        guard let value = self[key] else { return nil }
        let found = value.array?.compactMap { $0.double.map { Float($0) } }.filter(\.isFinite)
        guard let found, found.count == value.array?.count else { throw wrong(key, "a list of numbers") }
        return found
    }

    /// One text or several, none of them empty.
    ///
    /// - Parameter limit: the most texts.
    /// - Throws: `APIError` 400; token ids get the hint that LangChain's users need.
    func texts(_ key: String, limit: Int) throws -> (texts: [String], isSingle: Bool) {
        guard let value = self[key] else { throw APIError.invalid("'\(key)' is missing", parameter: key) }
        if let text = value.string { return ([try filled(text, key)], true) }
        guard let list = value.array else { throw wrong(key, "a string or a list of strings") }
        guard !list.isEmpty else { throw APIError.invalid("'\(key)' is an empty list", parameter: key) }
        let first = list[0]
        if first.double != nil || first.array?.first?.double != nil {
            throw APIError.invalid(
                "'\(key)' holds token ids; ids of another tokenizer mean other words to this model, so texts are expected. "
                    + "LangChain's OpenAIEmbeddings sends texts with check_embedding_ctx_length=False", parameter: key, code: "token_ids")
        }
        guard list.count <= limit else {
            throw APIError.invalid("'\(key)' has \(list.count) texts; at most \(limit) go into one request", parameter: key)
        }
        return (
            try list.enumerated().map { place, item in
                guard let text = item.string else { throw APIError.invalid("'\(key)[\(place)]' is not a string", parameter: key) }
                return try filled(text, "\(key)[\(place)]")
            }, false
        )
    }

    private func filled(_ text: String, _ place: String) throws -> String {
        guard !text.utf8.allSatisfy({ $0 == 0x20 || (0x09...0x0D).contains($0) }), !text.allSatisfy(\.isWhitespace) else {
            throw APIError.invalid("'\(place)' is empty; an empty text has no vector", parameter: place)
        }
        return text
    }

    private func wrong(_ key: String, _ expected: String) -> APIError { APIError.invalid("'\(key)' is not \(expected)", parameter: key) }
}

/// JSON text, written piece by piece; numbers of vectors with as many digits as a Float needs.
struct JSONBytes {
    var bytes: [UInt8] = []

    mutating func raw(_ text: StaticString) { text.withUTF8Buffer { bytes.append(contentsOf: $0) } }
    mutating func value(_ json: JSON) { json.write(to: &bytes) }
    mutating func value(_ number: Int) { bytes.append(contentsOf: String(number).utf8) }

    mutating func vector(_ values: some Collection<Float>) {
        bytes.append(UInt8(ascii: "["))
        var isFirst = true
        for value in values {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            var text = value.description
            text.withUTF8 { bytes.append(contentsOf: $0) }
        }
        bytes.append(UInt8(ascii: "]"))
    }

    /// The little-endian bytes of Floats in base 64, as OpenAI's clients ask for.
    mutating func base64(_ values: ArraySlice<Float>) {
        bytes.append(UInt8(ascii: "\""))
        values.withUnsafeBytes { bytes.append(contentsOf: Data($0).base64EncodedData()) }
        bytes.append(UInt8(ascii: "\""))
    }
}
