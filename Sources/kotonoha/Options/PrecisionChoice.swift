import ArgumentParser
import Networks
import Tensors

/// A precision, or a wish that the processor decides.
enum PrecisionChoice: String, ExpressibleByArgument, CaseIterable {
    case f32, bf16, int8, auto, fast

    /// Of the option, which means the same everywhere.
    static var help: ArgumentHelp {
        ArgumentHelp(
            "Precision of matrix products: f32 (default), bf16 or int8; auto takes the faster of f32 and bf16 on this processor, fast the fastest of all.",
            valueName: "precision")
    }

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

    /// Says so where the processor lacks what was asked for, or what was asked for is slower than f32, and what was chosen.
    func note(isQuiet: Bool) {
        guard !isQuiet else { return }
        guard let fixed else {
            let chosen = resolved, speed = PrecisionTimes.here.speed(of: chosen) ?? 1
            return Console.say(
                "precision: \(chosen.rawValue)"
                    + (chosen == .f32
                        ? ", the fastest on this processor"
                        : ", \(Console.fixed(speed, 1)) times as fast as f32 on this processor"))
        }
        fixed.noteIfMissing(isQuiet: isQuiet)
        if fixed != .f32, fixed.isFast, let speed = PrecisionTimes.here.speed(of: fixed), speed < 0.95 {
            Console.say(
                "note: \(fixed.rawValue) is slower than f32 on this processor (\(Console.fixed(1 / speed, 1)) times the time per "
                    + "product); --precision auto avoids that")
        }
    }
}

extension Precision {
    /// Says so where the processor has no instructions for this.
    func noteIfMissing(isQuiet: Bool) {
        guard !isFast, !isQuiet else { return }
        Console.say(
            "note: this processor has no \(rawValue) instructions (oneDNN found \(processorKernels)), so everything is computed in f32")
    }
}
