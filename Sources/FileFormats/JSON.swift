import Foundation

/// A JSON value. Objects keep the order of their keys in the file; of equal keys the last one counts.
public enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([(key: String, value: JSON)])

    public static func == (a: JSON, b: JSON) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.bool(let x), .bool(let y)): x == y
        case (.integer(let x), .integer(let y)): x == y
        case (.number(let x), .number(let y)): x == y
        case (.string(let x), .string(let y)): x == y
        case (.array(let x), .array(let y)): x == y
        case (.object(let x), .object(let y)): x.elementsEqual(y) { $0.key == $1.key && $0.value == $1.value }
        default: false
        }
    }

    /// Parses UTF-8 text. `file` and `line` only go into the error.
    public init(parsing bytes: UnsafeRawBufferPointer, file: String? = nil, line: Int? = nil) throws {
        do {
            let value = try JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])
            self = JSON(foundation: value)
        } catch {
            throw DataError(.badData, "this is not JSON: \(error)", file: file, line: line)
        }
    }

    private init(foundation value: Any) {
        switch value {
        case let string as String: self = .string(string)
        case let array as [Any]: self = .array(array.map(JSON.init(foundation:)))
        case let object as [String: Any]: self = .object(object.map { ($0.key, JSON(foundation: $0.value)) })
        case let number as NSNumber:
            if String(cString: number.objCType) == "c" { self = .bool(number.boolValue) }
            else if let integer = value as? Int { self = .integer(integer) }
            else { self = .number(number.doubleValue) }
        default: self = .null
        }
    }

    // MARK: Looking inside

    /// The value of `key`, nil where this is no object or has no such key.
    public subscript(key: String) -> JSON? {
        if case .object(let members) = self { members.last { $0.key == key }?.value } else { nil }
    }
    public var string: String? { if case .string(let s) = self { s } else { nil } }
    public var bool: Bool? { if case .bool(let b) = self { b } else { nil } }
    /// The number as an integer, where it is one.
    public var int: Int? {
        switch self {
        case .integer(let i): i
        case .number(let d): Int(exactly: d)
        default: nil
        }
    }
    public var double: Double? {
        switch self {
        case .integer(let i): Double(i)
        case .number(let d): d
        default: nil
        }
    }
    public var array: [JSON]? { if case .array(let a) = self { a } else { nil } }
    public var object: [(key: String, value: JSON)]? { if case .object(let o) = self { o } else { nil } }
    public var isNull: Bool { if case .null = self { true } else { false } }
}
