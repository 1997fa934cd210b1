import FileFormats

/// One object of a configuration file, with errors that give the path of a key.
struct ConfigurationObject {
    let json: JSON
    private let path: String
    private let file: String

    init(_ json: JSON, path: String, file: String) {
        self.json = json
        self.path = path
        self.file = file
    }

    func fail(_ message: String) -> DataError { DataError(.badData, path.isEmpty ? message : "\(path): \(message)", file: file) }

    /// Unknown keys are errors, reported before hours of training.
    func allow(_ keys: [String]) throws {
        guard let members = json.object else { throw fail("an object { … } was expected") }
        for (key, _) in members where !keys.contains(key) {
            throw fail("'\(key)' is not known here; known are \(keys.joined(separator: ", "))")
        }
    }

    private func place(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    func optionalText(_ key: String) throws -> String? {
        guard let value = json[key], !value.isNull else { return nil }
        guard let text = value.string else { throw fail("'\(key)' should be a text") }
        return text
    }

    func text(_ key: String) throws -> String {
        guard let text = try optionalText(key) else { throw fail("'\(key)' is missing") }
        return text
    }

    /// A text or a list of texts; numbers stand for themselves (columns).
    func texts(_ key: String) throws -> [String] {
        guard let value = json[key] else { throw fail("'\(key)' is missing") }
        let list = value.array ?? [value]
        let found = list.compactMap { $0.string ?? $0.int.map(String.init) }
        guard found.count == list.count else { throw fail("'\(key)' should be a list of texts") }
        return found
    }

    func integer(_ key: String, _ bounds: Bounds<Int>, default fallback: Int? = nil) throws -> Int {
        guard let value = json[key], !value.isNull else {
            if let fallback { return fallback }
            throw fail("'\(key)' is missing")
        }
        guard let number = bounds.read(value) else { throw fail("'\(key)' should be \(bounds.expectation), not \(value.serialized())") }
        return number
    }

    func number(_ key: String, _ bounds: Bounds<Double>, default fallback: Double) throws -> Double {
        guard let value = json[key], !value.isNull else { return fallback }
        guard let number = bounds.read(value) else { throw fail("'\(key)' should be \(bounds.expectation), not \(value.serialized())") }
        return number
    }

    func flag(_ key: String, default fallback: Bool) throws -> Bool {
        guard let value = json[key], !value.isNull else { return fallback }
        guard let flag = value.bool else { throw fail("'\(key)' should be true or false") }
        return flag
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, _ type: Choice.Type, default fallback: Choice? = nil
    ) throws -> Choice
    where Choice.RawValue == String {
        guard let name = try optionalText(key) else {
            if let fallback { return fallback }
            throw fail("'\(key)' is missing; it is one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard let choice = Choice(rawValue: name) else {
            throw fail("'\(key)' is one of \(Choice.allCases.map(\.rawValue).joined(separator: ", ")), not '\(name)'")
        }
        return choice
    }

    func optionalObject(_ key: String) throws -> ConfigurationObject? {
        guard let value = json[key], !value.isNull else { return nil }
        guard value.object != nil else { throw fail("'\(key)' should be an object { … }") }
        return ConfigurationObject(value, path: place(key), file: file)
    }

    func object(_ key: String) throws -> ConfigurationObject {
        guard let object = try optionalObject(key) else { throw fail("'\(key)' is missing") }
        return object
    }

    func objects(_ key: String) throws -> [ConfigurationObject] {
        guard let value = json[key], !value.isNull else { return [] }
        guard let list = value.array, list.allSatisfy({ $0.object != nil }) else { throw fail("'\(key)' should be a list of objects") }
        return list.enumerated().map { ConfigurationObject($1, path: "\(place(key))[\($0)]", file: file) }
    }
}
