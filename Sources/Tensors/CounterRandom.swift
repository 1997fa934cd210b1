import CKernels

/// Random numbers by counter: each is a function of the seed and of its place, so that any worker can compute any of them.
///
/// Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011). A place has three coordinates, such as stream, chunk and step; the numbers at one
/// place are independent of those at all others. The bits are the same on every processor.
package struct CounterRandom: Sendable, Equatable {
    /// The seed; it fixes every number.
    package let seed: UInt64

    /// Random numbers of a seed.
    package init(seed: UInt64) { self.seed = seed }

    /// Fills `numbers` with standard normal numbers, resolution 2⁻³², at most 6.66 in size.
    /// - Precondition: the count is a multiple of four.
    package func normals(into numbers: UnsafeMutableBufferPointer<Double>, stream: UInt32, chunk: UInt32, step: UInt32) {
        precondition(numbers.count % 4 == 0)
        guard let start = numbers.baseAddress else { return }
        kt_philox_normals(seed, step, chunk, stream, start, Int64(numbers.count / 4))
    }

    /// One block of four random words.
    package static func block(counter: (UInt32, UInt32, UInt32, UInt32), key: UInt64) -> [UInt32] {
        var result = [UInt32](repeating: 0, count: 4)
        let words = [counter.0, counter.1, counter.2, counter.3]
        kt_philox_block(words, key, &result)
        return result
    }
}
