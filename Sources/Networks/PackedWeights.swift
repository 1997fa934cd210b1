import Autograd
import FileFormats
import Synchronization
import Tensors

/// The weights of a model as matrix products want them, kept in the user's cache, so that the next process maps them and neither reads nor
/// lays out the model's own.
///
/// The first process that computes with a model writes the file; what it holds is what that process laid out. Its name is the hash of the
/// model's weights, of the precision, and of oneDNN's version and instruction set (`PackedParts.library`). `UserCache` says where it is and
/// how to disable it.
package final class PackedWeights: Sendable {
    private let key: String
    private let precision: Precision
    private let isWritten = Atomic(false)
    /// The file of an earlier process.
    private let kept: MappedFile?
    private let parameters = Mutex<[Parameter<Float>]>([])

    private static let kind = "weights"
    fileprivate static let mark = Array("KOTOPACK".utf8)
    /// Numbers from which on a table is kept.
    private static let leastTable = 1 << 18
    /// Bytes that all models may take.
    private static let limit = 4 << 30

    /// Nil if nothing is kept: there is no cache, or the weights are not one file of safetensors.
    package init?(weights: String, precision: Precision) {
        guard UserCache.folder(Self.kind) != nil, weights.hasSuffix(".safetensors"), let hash = try? SHA256.keptHex(ofFile: weights) else {
            return nil
        }
        key = SHA256.hex(of: "2 \(hash) \(precision.rawValue) \(PackedParts.library)")
        self.precision = precision
        kept = UserCache.read(Self.kind, key: key)
    }

    /// True if an earlier process has read these very weights and found them to be numbers.
    package var isKnown: Bool { kept != nil }

    /// Gives the parameters of a network their layouts, as far as they are kept.
    package func attach(_ entries: [CheckpointEntry<Float>]) {
        var seen: Set<ObjectIdentifier> = [], own: [Parameter<Float>] = []
        for entry in entries where seen.insert(ObjectIdentifier(entry.parameter)).inserted { own.append(entry.parameter) }
        parameters.withLock { $0 = own }
        guard let kept else { return }
        guard let contents = Contents(kept, precision) else { return }
        for (index, parts) in contents.matrices where own.indices.contains(index) {
            guard own[index].shape == [parts.outputs, parts.inputs], let matrix = PackedMatrix<Float>(viewing: parts, owner: kept) else {
                continue
            }
            own[index].adopt(matrix)
        }
        for (index, bytes) in contents.values where own.indices.contains(index) {
            let shape = own[index].shape
            guard let base = bytes.baseAddress, bytes.count == 4 * shape.reduce(1, *) else { continue }
            own[index].assignKept(Tensor(viewing: base.assumingMemoryBound(to: Float.self), shape: shape, owner: kept))
        }
    }

    /// Keeps what has been laid out, once, unless an earlier process did; called after something was computed.
    package func keep() {
        guard kept == nil, !isWritten.exchange(true, ordering: .relaxed) else { return }
        let own = parameters.withLock { $0 }
        let matrices = own.enumerated().compactMap { index, parameter in parameter.known(precision).map { (index, $0) } }
        // Tables that lie in the model's own file in another form, as in half precision; one that is mapped from there already stays there.
        let tables = own.enumerated().filter {
            $0.element.known(precision) == nil && $0.element.shape.reduce(1, *) >= Self.leastTable && !$0.element.value.isView
        }
        guard !matrices.isEmpty else { return }
        UserCache.write(Self.kind, key: key, limit: Self.limit) { file in
            var matrixList: [JSON] = [], valueList: [JSON] = [], offset = 0
            for (index, matrix) in matrices {
                matrix.withParts { parts in
                    let scales = offset + Self.padded(parts.bytes.count)
                    matrixList.append(
                        .array(
                            [index, parts.inputs, parts.outputs, offset, parts.bytes.count, scales, parts.scales.count].map(JSON.integer)))
                    offset = scales + Self.padded(8 * parts.scales.count)
                }
            }
            for (index, table) in tables {
                let bytes = 4 * table.shape.reduce(1, *)
                valueList.append(.array([index, offset, bytes].map(JSON.integer)))
                offset += Self.padded(bytes)
            }
            var head = Self.mark + Array(JSON.object([("matrices", .array(matrixList)), ("values", .array(valueList))]).serialized().utf8)
            head += [UInt8](repeating: UInt8(ascii: " "), count: Self.headSize(head.count + 1) - head.count - 1) + [UInt8(ascii: "\n")]
            try file.write(head)
            func write(_ bytes: UnsafeRawBufferPointer) throws {
                try file.write(bytes)
                try file.write([UInt8](repeating: 0, count: Self.padded(bytes.count) - bytes.count))
            }
            for (_, matrix) in matrices {
                try matrix.withParts { parts in
                    try write(parts.bytes)
                    try (parts.scales + parts.columnSums).withUnsafeBytes { try write($0) }
                }
            }
            for (_, table) in tables {
                try table.value.withUnsafeElements { try write(UnsafeRawBufferPointer(start: $0, count: 4 * table.shape.reduce(1, *))) }
            }
        }
    }

    /// Matrices begin at a line of the cache, the first of them at a page.
    private static func padded(_ count: Int) -> Int { (count + 63) / 64 * 64 }
    private static func headSize(_ count: Int) -> Int { (count + 4095) / 4096 * 4096 }

    /// What a file holds.
    private struct Contents {
        var matrices: [(index: Int, parts: PackedParts)] = []
        var values: [(index: Int, bytes: UnsafeRawBufferPointer)] = []

        /// Nil if it is not one that was written here. All of its matrices are of the precision that its name stands for.
        init?(_ file: MappedFile, _ precision: Precision) {
            let bytes = file.bytes
            guard bytes.starts(with: PackedWeights.mark), let end = bytes.firstIndex(of: UInt8(ascii: "\n")),
                let head = try? JSON(parsing: UnsafeRawBufferPointer(rebasing: bytes[PackedWeights.mark.count..<end]), file: file.path),
                let matrixList = head["matrices"]?.array, let valueList = head["values"]?.array
            else { return nil }
            let data = UnsafeRawBufferPointer(rebasing: bytes[(end + 1)...])
            func numbers(_ entry: JSON, _ count: Int) -> [Int]? {
                guard let numbers = entry.array?.compactMap(\.int), numbers.count == count, numbers.allSatisfy({ $0 >= 0 && $0 < 1 << 40 })
                else { return nil }
                return numbers
            }
            for entry in matrixList {
                guard let n = numbers(entry, 7), n[3] + n[4] <= data.count, n[5] + 8 * n[6] <= data.count else { return nil }
                let floats = (0..<2 * n[6]).map { data.loadUnaligned(fromByteOffset: n[5] + 4 * $0, as: Float.self) }
                matrices.append(
                    (
                        n[0],
                        PackedParts(
                            inputs: n[1], outputs: n[2], precision: precision,
                            bytes: UnsafeRawBufferPointer(rebasing: data[n[3]..<n[3] + n[4]]),
                            scales: Array(floats[..<n[6]]), columnSums: Array(floats[n[6]...]))
                    ))
            }
            for entry in valueList {
                guard let n = numbers(entry, 3), n[1] % 64 == 0, n[1] + n[2] <= data.count else { return nil }
                values.append((n[0], UnsafeRawBufferPointer(rebasing: data[n[1]..<n[1] + n[2]])))
            }
        }
    }
}
