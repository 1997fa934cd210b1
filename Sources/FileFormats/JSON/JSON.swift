/// A JSON value (RFC 8259). Objects keep the order of their keys in the file; of equal keys the last one counts.
///
/// Whole numbers that fit are `integer`, all others `number`: `1000000000000000019884624838656`, which is in many a
/// `tokenizer_config.json`, is a `number`. Python's `NaN` and `Infinity` are read as null.
public enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([(key: String, value: JSON)])

    /// Equal values; the members of objects must also be in the same order.
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

    /// Parses UTF-8 text, with or without a byte-order mark. `file` and `line` only go into the error; without `line`, the error
    /// carries the line of the text on which it breaks.
    /// - Throws: `DataError` of kind `badData` that says where in the text, what was expected and what was found.
    public init(parsing bytes: UnsafeRawBufferPointer, file: String? = nil, line: Int? = nil, spellsOutNaN: Bool = false) throws {
        self = try JSONParser().parse(bytes, file: file, line: line, spellsOutNaN: spellsOutNaN)
    }
    /// Parses a text. `file` and `line` only go into the error.
    ///
    /// - Throws: `DataError` of kind `badData` that says where the text breaks.
    public init(parsing text: String, file: String? = nil, line: Int? = nil) throws {
        var text = text
        self = try text.withUTF8 { try JSON(parsing: UnsafeRawBufferPointer($0), file: file, line: line) }
    }
    /// Parses a file. In a configuration `NaN` and `Infinity` are texts (`spellsOutNaN`), which no key takes for a number.
    package init(contentsOf path: String, spellsOutNaN: Bool = false) throws {
        let file = try MappedFile(path: path)
        self = try file.withUnsafeBytes { try JSON(parsing: $0, file: path, spellsOutNaN: spellsOutNaN) }
    }

    // MARK: Looking inside

    /// The value of `key`, nil if this is not an object or has no such key.
    ///
    /// - Complexity: O(number of members). Who wants all members of a large object, as a vocabulary, goes through `object` once
    ///   or asks `dictionary`.
    public subscript(key: String) -> JSON? {
        if case .object(let members) = self { members.last { $0.key == key }?.value } else { nil }
    }
    /// The text; nil if this is not a string.
    public var string: String? { if case .string(let s) = self { s } else { nil } }
    /// The truth value; nil if this is neither `true` nor `false`.
    public var bool: Bool? { if case .bool(let b) = self { b } else { nil } }
    /// The number as an integer, where it is one.
    public var int: Int? {
        switch self {
        case .integer(let i): i
        case .number(let d): Int(exactly: d)
        default: nil
        }
    }
    /// The number; nil if this is not a number.
    public var double: Double? {
        switch self {
        case .integer(let i): Double(i)
        case .number(let d): d
        default: nil
        }
    }
    /// The elements; nil if this is not an array.
    public var array: [JSON]? { if case .array(let a) = self { a } else { nil } }
    /// The members in the file's order.
    public var object: [(key: String, value: JSON)]? { if case .object(let o) = self { o } else { nil } }
    /// The members by key, for many lookups.
    public var dictionary: [String: JSON]? {
        if case .object(let o) = self { Dictionary(o.lazy.map { ($0.key, $0.value) }) { $1 } } else { nil }
    }
    /// Whether this is `null`.
    public var isNull: Bool { if case .null = self { true } else { false } }
}
