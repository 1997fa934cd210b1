import Foundation

/// A seeded source of random numbers: xoshiro256** (Blackman & Vigna 2018), its state filled by SplitMix64.
///
/// The same seed gives the same numbers on every machine. `split(_:)` makes independent streams, one for each shard or
/// sentence, so that results do not depend on who drew first.
public struct RandomSource: RandomNumberGenerator, Sendable, Codable, Equatable {
    private var state: [UInt64]

    /// A source whose numbers are fixed by `seed`.
    public init(seed: UInt64) {
        var mixer = seed
        state = (0..<4).map { _ in Self.splitMix(&mixer) }
    }

    private static func splitMix(_ x: inout UInt64) -> UInt64 {
        x &+= 0x9E37_79B9_7F4A_7C15
        var z = x
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        func rotated(_ x: UInt64, _ k: UInt64) -> UInt64 { (x << k) | (x >> (64 - k)) }
        let result = rotated(state[1] &* 5, 7) &* 9
        let t = state[1] << 17
        state[2] ^= state[0]
        state[3] ^= state[1]
        state[1] ^= state[2]
        state[0] ^= state[3]
        state[2] ^= t
        state[3] = rotated(state[3], 45)
        return result
    }

    /// An independent stream named by a number; drawing from it leaves this one as it is.
    public func split(_ stream: UInt64) -> RandomSource {
        var mixer = state[0] ^ (stream &* 0xD134_2543_DE82_EF95)
        return RandomSource(seed: Self.splitMix(&mixer) ^ state[2])
    }

    /// Uniform in [0, 1), 53 bits.
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Uniform in 0 ..< bound, without bias (Lemire 2019).
    public mutating func below(_ bound: Int) -> Int {
        precondition(bound > 0)
        let bound = UInt64(bound)
        var (high, low) = next().multipliedFullWidth(by: bound)
        if low < bound {
            let threshold = (0 &- bound) % bound
            while low < threshold { (high, low) = next().multipliedFullWidth(by: bound) }
        }
        return Int(high)
    }

    /// Standard normal (Box & Muller 1958; the second value of a pair is not kept, so that the state says everything).
    public mutating func normal() -> Double {
        let radius = (-2 * log(1 - uniform())).squareRoot()
        return radius * cos(2 * .pi * uniform())
    }

    /// A permutation of 0 ..< count (Fisher & Yates).
    public mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        for i in stride(from: count - 1, to: 0, by: -1) { order.swapAt(i, below(i + 1)) }
        return order
    }
}
