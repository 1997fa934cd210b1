import Autograd
import FileFormats
import Synchronization
import Tensors

/// The weights of a model as matrix products want them, kept in the user's cache, so that the next process maps them and neither reads nor lays out the
/// model's own.
///
/// The first process that computes with a model writes the file; what it holds is what that process laid out. Its name is the hash of the model's
/// weights, of the precision, and of oneDNN's version and instruction set (`PackedParts.library`). `UserCache` says where it lies and how to have none.
public final class PackedWeights: Sendable {
    private let key: String
    private let precision: Precision
    private let isWritten = Atomic(false)
    /// The file of an earlier process.
    private let kept: MappedFile?
    private let parameters = Mutex<[Parameter<Float>]>([])

    private static let kind = "weights"
    private static let mark = Array("KOTOPACK".utf8)
    /// Bytes that all models may take.
    private static let limit = 4 << 30

    /// Nil where nothing is kept: there is no cache, or the weights are not one file of safetensors.
    public init?(weights: String, precision: Precision) {
        guard UserCache.folder(Self.kind) != nil, weights.hasSuffix(".safetensors"), let hash = try? SHA256.keptHex(ofFile: weights) else { return nil }
        key = SHA256.hex(of: "1 \(hash) \(precision.rawValue) \(PackedParts.library)")
        self.precision = precision
        kept = UserCache.read(Self.kind, key: key)
    }

    /// True where an earlier process has read these very weights and found them to be numbers.
    public var isKnown: Bool { kept != nil }

    /// Gives the parameters of a network their layouts, as far as they are kept.
    public func attach(_ entries: [CheckpointEntry<Float>]) {
        var seen: Set<ObjectIdentifier> = [], own: [Parameter<Float>] = []
        for entry in entries where seen.insert(ObjectIdentifier(entry.parameter)).inserted { own.append(entry.parameter) }
        parameters.withLock { $0 = own }
        guard let kept else { return }
        for (index, parts) in Self.parts(in: kept, precision) ?? [] where own.indices.contains(index) {
            let shape = own[index].shape
            guard shape == [parts.outputs, parts.inputs], let matrix = PackedMatrix<Float>(viewing: parts, owner: kept) else { continue }
            own[index].adopt(matrix)
        }
    }

    /// Keeps what has been laid out, once, unless an earlier process did; called after something was computed.
    public func keep() {
        guard kept == nil, !isWritten.exchange(true, ordering: .relaxed) else { return }
        let matrices = parameters.withLock { $0 }.enumerated().compactMap { index, parameter in parameter.known(precision).map { (index, $0) } }
        guard !matrices.isEmpty else { return }
        UserCache.write(Self.kind, key: key, limit: Self.limit) { file in
            var directory: [JSON] = [], offset = 0
            for (index, matrix) in matrices {
                matrix.withParts { parts in
                    let scales = offset + Self.padded(parts.bytes.count)
                    directory.append(.array([index, parts.inputs, parts.outputs, offset, parts.bytes.count, scales, parts.scales.count].map(JSON.integer)))
                    offset = scales + Self.padded(8 * parts.scales.count)
                }
            }
            var head = Self.mark + Array(JSON.array(directory).serialized().utf8)
            head += [UInt8](repeating: UInt8(ascii: " "), count: Self.headSize(head.count + 1) - head.count - 1) + [UInt8(ascii: "\n")]
            try file.write(head)
            for (_, matrix) in matrices {
                try matrix.withParts { parts in
                    func write(_ bytes: UnsafeRawBufferPointer) throws {
                        try file.write(bytes)
                        try file.write([UInt8](repeating: 0, count: Self.padded(bytes.count) - bytes.count))
                    }
                    try write(parts.bytes)
                    try (parts.scales + parts.columnSums).withUnsafeBytes { try write($0) }
                }
            }
        }
    }

    /// Matrices begin at a line of the cache, the first of them at a page.
    private static func padded(_ count: Int) -> Int { (count + 63) / 64 * 64 }
    private static func headSize(_ count: Int) -> Int { (count + 4095) / 4096 * 4096 }

    /// The matrices of a file, nil where it is not one that was written here.
    private static func parts(in file: MappedFile, _ precision: Precision) -> [(Int, PackedParts)]? {
        let bytes = file.bytes
        guard bytes.starts(with: mark), let end = bytes.firstIndex(of: UInt8(ascii: "\n")),
              let list = try? JSON(parsing: UnsafeRawBufferPointer(rebasing: bytes[mark.count ..< end]), file: file.path).array else { return nil }
        let data = UnsafeRawBufferPointer(rebasing: bytes[(end + 1)...])
        var found: [(Int, PackedParts)] = []
        for entry in list {
            guard let numbers = entry.array?.compactMap(\.int), numbers.count == 7, numbers.allSatisfy({ $0 >= 0 && $0 < 1 << 40 }) else { return nil }
            let (start, count, scales, outputs) = (numbers[3], numbers[4], numbers[5], numbers[6])
            guard start + count <= data.count, scales + 8 * outputs <= data.count else { return nil }
            let floats = (0 ..< 2 * outputs).map { data.loadUnaligned(fromByteOffset: scales + 4 * $0, as: Float.self) }
            // The file's name is of one precision.
            found.append((numbers[0], PackedParts(inputs: numbers[1], outputs: numbers[2], precision: precision, bytes: UnsafeRawBufferPointer(rebasing: data[start ..< start + count]),
                                                  scales: Array(floats[..<outputs]), columnSums: Array(floats[outputs...]))))
        }
        return found
    }
}
