import ArgumentParser
import Networks
import Tensors

/// A precision, or a wish that the processor decides.
enum PrecisionChoice: String, ExpressibleByArgument, CaseIterable {
    case f32, bf16, int8, auto, fast

    /// The precision that was named; nil for a wish.
    var fixed: Precision? { Precision(rawValue: rawValue) }

    /// What is computed in: f32 in place of what the processor has no instructions for.
    var resolved: Precision {
        switch self {
        case .auto: PrecisionTimes.here.fastest(of: PrecisionTimes.automatic)
        case .fast: PrecisionTimes.here.fastest(of: PrecisionTimes.any)
        case .f32, .bf16, .int8: fixed.map { $0.isFast ? $0 : .f32 } ?? .f32
        }
    }
}
