import FileFormats
import Foundation
import Glibc
import Synchronization

/// Words for the person at the terminal: standard error, so that standard output holds data only.
enum Console {
    static func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    /// Data for whoever reads standard output. A closed pipe (`| head`) ends the program quietly.
    static func print(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    static let errorIsTerminal = isatty(STDERR_FILENO) == 1
    static let outputIsTerminal = isatty(STDOUT_FILENO) == 1

    static func grouped(_ number: Int) -> String { NumberText.grouped(number) }
    static func fixed(_ number: Double, _ decimals: Int) -> String { NumberText.fixed(number, decimals) }

    /// "1:05", "2:03:09".
    static func duration(_ seconds: Double) -> String {
        let total = Int(max(0, seconds).rounded())
        let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60)
        return hours > 0 ? String(format: "%d:%02d:%02d", hours, minutes, rest) : String(format: "%d:%02d", minutes, rest)
    }
}

/// A line on the terminal that says how far the work is; silent in a file, and for work under a second.
final class ProgressLine {
    private let begin = ContinuousClock.now
    private var lastShown: ContinuousClock.Instant?
    private let isEnabled: Bool
    private let unit: String

    init(unit: String, isQuiet: Bool) {
        self.unit = unit
        isEnabled = !isQuiet && Console.errorIsTerminal
    }

    var seconds: Double { (ContinuousClock.now - begin) / .seconds(1) }

    /// - Parameter fraction: in 0 ... 1, nil where the end is not known.
    func update(done: Int, fraction: Double?, note: String = "") {
        guard isEnabled, seconds > 1 else { return }
        if let lastShown, ContinuousClock.now - lastShown < .milliseconds(100), fraction != 1 { return }
        lastShown = .now
        var line = ""
        if let fraction {
            let filled = Int((max(0, min(1, fraction)) * 24).rounded())
            line += "[" + String(repeating: "█", count: filled) + String(repeating: "·", count: 24 - filled) + "] "
            line += String(format: "%3d %%  ", Int((fraction * 100).rounded(.down)))
        }
        let rate = Double(done) / max(seconds, 1e-9)
        line += "\(Console.grouped(done)) \(unit), \(Console.grouped(Int(rate))) a second"
        if let fraction, fraction > 0.001, fraction < 1 { line += ", \(Console.duration(seconds / fraction - seconds)) left" }
        if !note.isEmpty { line += ", " + note }
        FileHandle.standardError.write(Data(("\r\u{1B}[K" + line).utf8))
    }

    func finish() {
        guard isEnabled, lastShown != nil else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
        lastShown = nil
    }
}

/// Control-C: the first one asks the work to stop at a safe place, the second one ends the program.
enum Interruption {
    private static let requested = Atomic(false)
    static var isRequested: Bool { requested.load(ordering: .relaxed) }

    static func install() {
        signal(SIGPIPE, SIG_DFL)
        signal(SIGINT) { _ in
            if Interruption.requested.exchange(true, ordering: .relaxed) { _exit(130) }
        }
    }
}
