import FileFormats
import Foundation
import Glibc
import Synchronization

/// Words for the person at the terminal: standard error, so that standard output holds data only.
enum Console {
    /// - Parameter isStyled: the caller has escaped the data in it and put colours around.
    static func say(_ text: String, isStyled: Bool = false) {
        let text = Setting.spelled(text) { "--\($0)" }
        tell(isStyled ? text : spoken(text), isStyled: isStyled)
    }

    /// A message in the language of the session.
    static func spoken(_ text: String) -> String { SessionLanguage.terminal == .japanese ? Translation.message(text) : text }

    /// The error that ends the program.
    static func complain(_ error: any Error) {
        let text = (error as? DataError).flatMap { SessionLanguage.terminal == .japanese ? Translation.message($0) : nil } ?? "\(error)"
        tell(Setting.spelled("kotonoha: \(text)") { "--\($0)" }, isStyled: false)
    }

    private static func tell(_ text: String, isStyled: Bool) {
        StandardStreams.tell((errorIsTerminal && !isStyled ? text.escapedForTerminal : text) + "\n")
    }

    /// Writes a line of data to standard output.
    /// - Throws: `ClosedPipe` if the reader has closed the pipe; `DataError` if the disk is full.
    static func print(_ text: String, isStyled: Bool = false) throws { try write(text + "\n", isStyled: isStyled) }

    /// Writes data to standard output: unchanged to a file or pipe; on a terminal, control characters are escaped.
    static func write(_ text: String, isStyled: Bool = false) throws {
        try StandardStreams.write(outputIsTerminal && !isStyled ? text.escapedForTerminal : text)
    }

    static let errorIsTerminal = isatty(STDERR_FILENO) == 1
    static let outputIsTerminal = isatty(STDOUT_FILENO) == 1

    /// A terminal that cannot go back in its line gets whole lines only.
    static let isDumb = ["dumb", ""].contains(ProcessInfo.processInfo.environment["TERM"] ?? "")

    /// Whether colours are welcome where nothing else was said (no-color.org).
    static let allowsColour = ProcessInfo.processInfo.environment["NO_COLOR", default: ""].isEmpty && !isDumb

    static func grouped(_ number: Int) -> String { NumberText.grouped(number) }
    static func fixed(_ number: Double, _ decimals: Int) -> String { NumberText.fixed(number, decimals) }
    /// "1 row", "12,345 rows".
    static func counted(_ count: Int, _ one: String, _ several: String? = nil) -> String {
        "\(grouped(count)) \(count == 1 ? one : several ?? one + "s")"
    }

    /// "1:05", "2:03:09".
    static func duration(_ seconds: Double) -> String {
        let total = Int(max(0, seconds).rounded())
        let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60)
        return hours > 0 ? String(format: "%d:%02d:%02d", hours, minutes, rest) : String(format: "%d:%02d", minutes, rest)
    }
}

/// A progress line on the terminal; silent in a file, and for work under a second.
final class ProgressLine {
    private let begin = ContinuousClock.now
    private var lastShown: ContinuousClock.Instant?
    private let isEnabled: Bool
    private let unit: String
    private let isJapanese: Bool

    init(unit: String, isQuiet: Bool) {
        self.unit = unit
        isJapanese = SessionLanguage.terminal == .japanese
        isEnabled = !isQuiet && Console.errorIsTerminal && !Console.isDumb
    }

    var seconds: Double { (ContinuousClock.now - begin) / .seconds(1) }

    /// - Parameter fraction: in 0 ... 1, nil if the end is not known.
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
        let left = fraction.flatMap { $0 > 0.001 && $0 < 1 ? Console.duration(seconds / $0 - seconds) : nil }
        if isJapanese {
            line += Translation.progress(done: Console.grouped(done), unit: unit, rate: Console.grouped(Int(rate)), left: left)
        } else {
            line += "\(Console.grouped(done)) \(unit), \(Console.grouped(Int(rate))) per second"
            if let left { line += ", \(left) left" }
        }
        if !note.isEmpty { line += (isJapanese ? "、" : ", ") + note.escapedForTerminal }
        StandardStreams.tell("\r\u{1B}[K" + line)
    }

    func finish() {
        guard isEnabled, lastShown != nil else { return }
        StandardStreams.tell("\r\u{1B}[K")
        lastShown = nil
    }
}

/// Control-C, and in some commands SIGTERM: the first one asks the work to stop at a safe place, the second one ends the program.
enum Interruption {
    private static let requested = Atomic(false)
    static var isRequested: Bool { requested.load(ordering: .relaxed) }

    /// For work that asks often: a batch system's SIGTERM is a request, too, and leaves time until it kills.
    static func endsGentlyWhenTerminated() {
        signal(SIGTERM) { _ in Interruption.requested.store(true, ordering: .relaxed) }
    }

    static func install() {
        signal(SIGINT) { _ in
            if Interruption.requested.exchange(true, ordering: .relaxed) { _exit(130) }
        }
        // Whoever started the program may have blocked them, and a child inherits that.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }
}
