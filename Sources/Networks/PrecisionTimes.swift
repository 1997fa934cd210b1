import FileFormats
import Glibc
import Tensors

/// How long one small matrix product takes on this processor in each precision.
///
/// Which is fastest depends on the processor: bf16 is nearly twice as fast as f32 where its instructions run at full rate, and slower where
/// they do not. Measured once in some milliseconds, and kept in the user's cache for this processor and this version of oneDNN.
package struct PrecisionTimes: Sendable, Equatable {
    /// Seconds for one product; precisions without instructions here are absent.
    package let seconds: [Precision: Double]

    /// Kept ones, or measured now.
    package static let here = PrecisionTimes()

    /// What `auto` and `fast` may choose from: `auto` loses no accuracy that a cosine would show, `fast` about a thousandth in cosine.
    package static let automatic: [Precision] = [.f32, .bf16], any: [Precision] = [.f32, .bf16, .int8]

    /// The fastest of some; f32 where another one is not faster by more than a twentieth.
    package func fastest(of choices: [Precision]) -> Precision {
        let least = choices.compactMap { choice in seconds[choice].map { (choice, $0) } }.min { $0.1 < $1.1 }
        guard let least, let exact = seconds[.f32], least.1 < 0.95 * exact else { return .f32 }
        return least.0
    }

    /// How many times as fast as f32; nil if the processor lacks it.
    package func speed(of precision: Precision) -> Double? {
        guard let exact = seconds[.f32], let own = seconds[precision], own > 0 else { return nil }
        return exact / own
    }

    private init() {
        let key = SHA256.hex(of: "1 \(Self.processor) \(PackedParts.library)")
        if let kept = UserCache.read("precision", key: key), let json = try? JSON(parsing: kept.bytes, file: kept.path) {
            let found = Precision.allCases.compactMap { precision in json[precision.rawValue]?.double.map { (precision, $0) } }
            if found.contains(where: { $0.0 == .f32 && $0.1 > 0 }) {
                seconds = Dictionary(uniqueKeysWithValues: found)
                return
            }
        }
        let measured = Self.measured()
        seconds = measured
        UserCache.write("precision", key: key) { file in
            try file.write(
                JSON.object(Precision.allCases.compactMap { p in measured[p].map { (p.rawValue, .number($0)) } }).serialized() + "\n")
        }
    }

    /// The best of some runs: a product of one tile with the weights of a wide layer, as models have them.
    private static func measured() -> [Precision: Double] {
        let rows = 64, inputs = 384, outputs = 1536
        let weights = Tensor<Float>((0..<inputs * outputs).map { Float(($0 * 7919) % 1009) / 1009 - 0.5 }, shape: [outputs, inputs])
        let x = Tensor<Float>((0..<rows * inputs).map { Float(($0 * 104_729) % 997) / 997 - 0.5 }, shape: [rows, inputs])
        var y = Tensor<Float>(uninitialized: [rows, outputs]), best: [Precision: Double] = [:]
        let matrices = Precision.allCases.filter(\.isFast).map { Float.pack(weights.view, precision: $0) }
        // In turns, so that a busy moment hits all of them; the first round makes the kernels.
        for round in 0..<5 {
            for matrix in matrices {
                let begin = ContinuousClock.now
                Float.multiply(x.view, by: matrix, plus: nil, activation: .identity, into: &y.target)
                let time = (ContinuousClock.now - begin) / .seconds(1)
                if round > 0 { best[matrix.precision] = min(best[matrix.precision] ?? .infinity, time) }
            }
        }
        return best
    }

    /// The processor's name, and its model in numbers, since virtual machines are often called alike.
    package static let processor: String = {
        guard let stream = try? ByteStream(path: "/proc/cpuinfo") else { return "unknown" }
        var text = ""
        _ = try? stream.next { text = String(decoding: $0.prefix(4096), as: UTF8.self) }
        let wanted = ["model name", "cpu family", "model", "stepping"]
        let first = text.split(separator: "\n", omittingEmptySubsequences: false).prefix { !$0.isEmpty }
        return first.compactMap { line in
            let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingWhitespace }
            return parts.count == 2 && wanted.contains(parts[0]) ? parts[1] : nil
        }.joined(separator: " ")
    }()
}

extension Substring {
    fileprivate var trimmingWhitespace: String {
        String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
