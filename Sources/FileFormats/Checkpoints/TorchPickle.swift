/// Reads the pickle inside a PyTorch checkpoint as data: plain values, dictionaries and tensors. Nothing is ever executed; a
/// name that is not on the list below is refused.
///
/// Opcodes: https://docs.python.org/3/library/pickletools.html, protocols 2 to 5. Containers lie in an arena and refer to each other
/// by number, so that neither cycles nor deep nesting in a hostile file do any harm.
package struct TorchPickle {
    /// A view of a storage, as `torch._utils._rebuild_tensor_v2` describes it.
    package struct TensorView {
        package var storage: Storage
        /// In elements.
        package var offset: Int
        package var shape: [Int]
        package var strides: [Int]
    }

    package struct Storage {
        /// Its file inside the zip: `data/KEY`.
        package var key: String
        package var dtype: SafetensorsType
        /// Elements.
        package var count: Int
    }

    private enum Value {
        case none, bool(Bool), int(Int), float(Double), string(String), bytes
        case tuple(Int), list(Int), dictionary(Int)
        case global(String)
        case storage(Int), tensor(Int)
    }

    /// Classes of storages, and what their elements are.
    private static let storages: [String: SafetensorsType] = [
        "torch FloatStorage": .f32, "torch DoubleStorage": .f64, "torch HalfStorage": .f16, "torch BFloat16Storage": .bf16,
        "torch LongStorage": .i64, "torch IntStorage": .i32, "torch ShortStorage": .i16, "torch CharStorage": .i8,
        "torch ByteStorage": .u8, "torch BoolStorage": .bool,
    ]
    private static let functions: Set<String> = [
        "collections OrderedDict", "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter", "torch Size",
    ]
    private static let dtypes: Set<String> = Set(
        ["float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"].map { "torch " + $0 })

    private let bytes: UnsafeRawBufferPointer
    private let path: String
    private var position = 0
    private var stack: [Value] = []
    private var marks: [Int] = []
    private var memo: [Int: Value] = [:]
    private var tuples: [[Value]] = []
    private var lists: [[Value]] = []
    private var dictionaries: [[(key: Value, value: Value)]] = []
    private var storageArena: [Storage] = []
    private var tensorArena: [TensorView] = []

    private init(_ bytes: UnsafeRawBufferPointer, path: String) {
        self.bytes = bytes
        self.path = path
    }

    /// The tensors of a state dictionary, in the order of the file. A dictionary that holds one under "state_dict" will do as well.
    /// - Throws: `DataError` that names what the pickle asks for and may not have, or where it is damaged.
    package static func tensors(_ bytes: UnsafeRawBufferPointer, path: String) throws -> [(name: String, view: TensorView)] {
        var reader = TorchPickle(bytes, path: path)
        let top = try reader.run()
        guard case .dictionary(var index) = top else {
            throw reader.damaged("it contains no dictionary of tensors; save the model's state_dict()")
        }
        for (key, value) in reader.dictionaries[index] {
            if case .string("state_dict") = key, case .dictionary(let inner) = value { index = inner }
        }
        return reader.dictionaries[index].compactMap { key, value in
            guard case .string(let name) = key, case .tensor(let tensor) = value else { return nil }
            return (name, reader.tensorArena[tensor])
        }
    }

    // MARK: Bytes

    private func damaged(_ message: String) -> DataError { DataError(.badData, "the checkpoint's pickle: \(message)", file: path) }

    private mutating func take(_ count: Int) throws -> UnsafeRawBufferPointer {
        guard count >= 0, count <= bytes.count - position else { throw damaged("it is truncated at byte \(position)") }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    private mutating func unsigned<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type) throws -> Int {
        let value = T(littleEndian: try take(MemoryLayout<T>.size).loadUnaligned(as: T.self))
        guard let number = Int(exactly: value) else { throw damaged("a length of \(value) at byte \(position)") }
        return number
    }

    private mutating func text(_ count: Int) throws -> String {
        let bytes = try take(count)
        guard let text = String(validating: bytes, as: UTF8.self) else { throw damaged("text that is not UTF-8 at byte \(position)") }
        return text
    }

    private mutating func line() throws -> String {
        guard let end = bytes[position...].firstIndex(of: 0x0A) else { throw damaged("it is truncated at byte \(position)") }
        let line = try text(end - position)
        position = end + 1
        return line
    }

    // MARK: Stack

    private mutating func pop() throws -> Value {
        guard stack.count > (marks.last ?? 0), let value = stack.popLast() else {
            throw damaged("nothing to take from the stack at byte \(position)")
        }
        return value
    }

    private mutating func pop(_ count: Int) throws -> [Value] {
        guard stack.count - (marks.last ?? 0) >= count else { throw damaged("too little on the stack at byte \(position)") }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    private mutating func popToMark() throws -> [Value] {
        guard let mark = marks.popLast() else { throw damaged("no mark at byte \(position)") }
        defer { stack.removeLast(stack.count - mark) }
        return Array(stack[mark...])
    }

    private mutating func pushTuple(_ values: [Value]) {
        tuples.append(values)
        stack.append(.tuple(tuples.count - 1))
    }

    private mutating func remember(_ key: Int) throws {
        guard let top = stack.last else { throw damaged("nothing to remember at byte \(position)") }
        memo[key] = top
    }

    private mutating func recall(_ key: Int) throws {
        guard let value = memo[key] else { throw damaged("it recalls value \(key), which was never kept") }
        stack.append(value)
    }

    // MARK: Opcodes

    private mutating func run() throws -> Value {
        while true {
            let opcode = try take(1)[0]
            switch opcode {
            case 0x80:  // PROTO
                let version = try take(1)[0]
                guard (2...5).contains(version) else { throw damaged("protocol \(version) is not supported; expected 2 to 5") }
            case 0x95: _ = try take(8)  // FRAME
            case UInt8(ascii: "."):
                return try pop()
            case UInt8(ascii: "("): marks.append(stack.count)
            case UInt8(ascii: "0"): if stack.count > (marks.last ?? 0) { _ = try pop() } else { _ = try popToMark() }
            case UInt8(ascii: "1"): _ = try popToMark()
            case UInt8(ascii: "2"):
                let top = try pop()
                stack += [top, top]

            case UInt8(ascii: "N"): stack.append(.none)
            case 0x88: stack.append(.bool(true))
            case 0x89: stack.append(.bool(false))
            case UInt8(ascii: "J"): stack.append(.int(Int(Int32(truncatingIfNeeded: try unsigned(UInt32.self)))))
            case UInt8(ascii: "K"): stack.append(.int(try unsigned(UInt8.self)))
            case UInt8(ascii: "M"): stack.append(.int(try unsigned(UInt16.self)))
            case 0x8A: stack.append(.int(try long()))
            case UInt8(ascii: "G"):
                stack.append(.float(Double(bitPattern: UInt64(bigEndian: try take(8).loadUnaligned(as: UInt64.self)))))
            case UInt8(ascii: "X"): stack.append(.string(try text(unsigned(UInt32.self))))
            case 0x8C: stack.append(.string(try text(unsigned(UInt8.self))))
            case 0x8D: stack.append(.string(try text(unsigned(UInt64.self))))
            case UInt8(ascii: "T"): stack.append(.string(try text(unsigned(UInt32.self))))
            case UInt8(ascii: "U"): stack.append(.string(try text(unsigned(UInt8.self))))
            case UInt8(ascii: "B"):
                _ = try take(unsigned(UInt32.self))
                stack.append(.bytes)
            case UInt8(ascii: "C"):
                _ = try take(unsigned(UInt8.self))
                stack.append(.bytes)

            case UInt8(ascii: ")"): pushTuple([])
            case UInt8(ascii: "t"): pushTuple(try popToMark())
            case 0x85: pushTuple(try pop(1))
            case 0x86: pushTuple(try pop(2))
            case 0x87: pushTuple(try pop(3))
            case UInt8(ascii: "]"):
                lists.append([])
                stack.append(.list(lists.count - 1))
            case UInt8(ascii: "l"):
                lists.append(try popToMark())
                stack.append(.list(lists.count - 1))
            case UInt8(ascii: "}"): pushDictionary()
            case UInt8(ascii: "a"): try append([pop()])
            case UInt8(ascii: "e"): try append(popToMark())
            case UInt8(ascii: "s"): try set(pop(2))
            case UInt8(ascii: "u"): try set(popToMark())

            case UInt8(ascii: "q"): try remember(unsigned(UInt8.self))
            case UInt8(ascii: "r"): try remember(unsigned(UInt32.self))
            case 0x94: try remember(memo.count)
            case UInt8(ascii: "h"): try recall(unsigned(UInt8.self))
            case UInt8(ascii: "j"): try recall(unsigned(UInt32.self))

            case UInt8(ascii: "c"):
                let module = try line()
                try pushGlobal(module, line())
            case 0x93:  // STACK_GLOBAL
                guard case let names = try pop(2), case .string(let module) = names[0], case .string(let name) = names[1] else {
                    throw damaged("a name that is not text at byte \(position)")
                }
                try pushGlobal(module, name)
            case UInt8(ascii: "R"): try reduce()
            case UInt8(ascii: "b"): try build()
            case UInt8(ascii: "Q"): try pushStorage()
            default:
                throw damaged("opcode 0x\(String(opcode, radix: 16)) at byte \(position - 1) is not one that checkpoints need")
            }
        }
    }

    private mutating func long() throws -> Int {
        let count = try unsigned(UInt8.self)
        guard count <= 8 else { throw damaged("a whole number of \(count) bytes at byte \(position)") }
        var value: UInt64 = 0
        let bytes = try take(count)
        for (place, byte) in bytes.enumerated() { value |= UInt64(byte) << UInt64(8 * place) }
        if let last = bytes.last, last >= 0x80, count < 8 { value |= ~0 << UInt64(8 * count) }
        return Int(Int64(bitPattern: value))
    }

    private mutating func pushDictionary() {
        dictionaries.append([])
        stack.append(.dictionary(dictionaries.count - 1))
    }

    private mutating func append(_ values: [Value]) throws {
        guard stack.count > (marks.last ?? 0), case .list(let list)? = stack.last else {
            throw damaged("no list to add to at byte \(position)")
        }
        lists[list] += values
    }

    private mutating func set(_ values: [Value]) throws {
        guard stack.count > (marks.last ?? 0), case .dictionary(let dictionary)? = stack.last, values.count % 2 == 0 else {
            throw damaged("no dictionary to add to at byte \(position)")
        }
        for pair in stride(from: 0, to: values.count, by: 2) { dictionaries[dictionary].append((values[pair], values[pair + 1])) }
    }

    // MARK: What stands for Python objects

    private mutating func pushGlobal(_ module: String, _ name: String) throws {
        let global = module + " " + name
        guard Self.functions.contains(global) || Self.storages[global] != nil || Self.dtypes.contains(global) else {
            throw DataError(
                .badData,
                "this checkpoint would run '\(module).\(name)', which is not allowed: only tensors, their storages "
                    + "and ordered "
                    + "dictionaries are read. It contains more than weights, or is malicious", file: path)
        }
        stack.append(.global(global))
    }

    private mutating func reduce() throws {
        let parts = try pop(2)
        guard case .global(let name) = parts[0], case .tuple(let index) = parts[1] else {
            throw damaged("a call of something that is not a name at byte \(position)")
        }
        let arguments = tuples[index]
        switch name {
        case "collections OrderedDict":
            guard arguments.isEmpty else { throw damaged("an ordered dictionary made of something at byte \(position)") }
            pushDictionary()
        case "torch._utils _rebuild_tensor_v2": try pushTensor(arguments)
        case "torch._utils _rebuild_parameter":
            guard case .tensor? = arguments.first else { throw damaged("a parameter that is not a tensor at byte \(position)") }
            stack.append(arguments[0])
        case "torch Size":
            guard arguments.count == 1, case .tuple = arguments[0] else { throw damaged("an invalid size at byte \(position)") }
            stack.append(arguments[0])
        default: throw damaged("'\(name)' is called, which is a type at byte \(position)")
        }
    }

    /// State of an ordered dictionary (the versions of its modules): of no use here.
    private mutating func build() throws {
        _ = try pop()
        guard case .dictionary? = stack.last else { throw damaged("a state for something that has none at byte \(position)") }
    }

    /// Persistent ids are ('storage', class, key, device, elements).
    private mutating func pushStorage() throws {
        guard case .tuple(let index) = try pop() else { throw damaged("an invalid storage at byte \(position)") }
        let parts = tuples[index]
        guard parts.count == 5, case .string("storage") = parts[0], case .global(let type) = parts[1], case .string(let key) = parts[2],
            case .int(let count) = parts[4], let dtype = Self.storages[type], count >= 0, count <= Int.max / 8
        else { throw damaged("an invalid storage at byte \(position)") }
        storageArena.append(Storage(key: key, dtype: dtype, count: count))
        stack.append(.storage(storageArena.count - 1))
    }

    private mutating func pushTensor(_ arguments: [Value]) throws {
        func numbers(_ value: Value) -> [Int]? {
            guard case .tuple(let index) = value, tuples[index].count <= 32 else { return nil }
            let numbers = tuples[index].compactMap { if case .int(let number) = $0 { number } else { nil } }
            return numbers.count == tuples[index].count && numbers.allSatisfy { $0 >= 0 } ? numbers : nil
        }
        guard arguments.count >= 4, case .storage(let index) = arguments[0], case .int(let offset) = arguments[1], offset >= 0,
            let shape = numbers(arguments[2]), let strides = numbers(arguments[3]), shape.count == strides.count
        else { throw damaged("an invalid tensor at byte \(position)") }
        let storage = storageArena[index]
        guard Self.fits(shape, strides, offset, in: storage.count) else {
            throw damaged(
                "a tensor of shape \(shape), strides \(strides) from element \(offset) does not fit its storage of \(storage.count) elements"
            )
        }
        tensorArena.append(TensorView(storage: storage, offset: offset, shape: shape, strides: strides))
        stack.append(.tensor(tensorArena.count - 1))
    }

    /// Whether every element lies within the storage, and there are no more of them than the storage has: a small file must not
    /// unfold into a huge tensor by strides of 0.
    private static func fits(_ shape: [Int], _ strides: [Int], _ offset: Int, in count: Int) -> Bool {
        var elements = 1, last = offset
        for (length, stride) in zip(shape, strides) {
            let product = elements.multipliedReportingOverflow(by: length)
            let reach = max(0, length - 1).multipliedReportingOverflow(by: stride)
            let sum = last.addingReportingOverflow(reach.partialValue)
            guard !product.overflow, !reach.overflow, !sum.overflow else { return false }
            (elements, last) = (product.partialValue, sum.partialValue)
        }
        return elements == 0 || elements <= count && last < count
    }
}
