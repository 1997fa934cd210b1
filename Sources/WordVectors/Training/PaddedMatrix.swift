import CKernels
import Glibc
import Tensors

/// Rows of Floats, each filled up with zeros to whole vector registers, in memory of large pages: rows are touched in random order.
final class PaddedMatrix: @unchecked Sendable {
    // Who trains shares it between threads on purpose; see `WordTrainer` for who writes which rows.
    let rows: Int
    let columns: Int
    let stride: Int
    let base: UnsafeMutablePointer<Float>
    private let memory: UnsafeMutableRawPointer
    private let size: Int

    static func stride(columns: Int) -> Int { (columns + Int(KT_WORDS_LANES) - 1) / Int(KT_WORDS_LANES) * Int(KT_WORDS_LANES) }

    /// All zeros. Nil if the system has not that much memory.
    init?(rows: Int, columns: Int) {
        (self.rows, self.columns, stride) = (rows, columns, Self.stride(columns: columns))
        let bytes = (rows * stride).multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
        guard !bytes.overflow else { return nil }
        size = max(4096, bytes.partialValue)
        guard let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), memory != MAP_FAILED else {
            return nil
        }
        self.memory = memory
        _ = madvise(memory, size, 14)  // MADV_HUGEPAGE
        base = memory.bindMemory(to: Float.self, capacity: size / 4)
    }

    deinit { munmap(memory, size) }

    func row(_ index: Int) -> UnsafeMutablePointer<Float> { base + index * stride }
    var bytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: memory, count: rows * stride * 4) }

    /// The rows without the filling, shape (rows, columns).
    func tensor(rows wanted: Range<Int>? = nil) -> Tensor<Float> {
        let wanted = wanted ?? 0..<rows
        var tensor = Tensor<Float>(uninitialized: [wanted.count, columns])
        tensor.withUnsafeMutableElements { to in
            for (i, row) in wanted.enumerated() { (to + i * columns).update(from: self.row(row), count: columns) }
        }
        return tensor
    }
}
