import FileFormats
import Foundation

/// JSON lines about a run. When a run goes on from a checkpoint, lines of later steps are dropped: they will be written again, equal.
final class TrainingLog {
    private let path: String
    private let handle: FileHandle
    private var pending = ""
    private let start = ContinuousClock.now

    init(_ file: URL, keepingSteps limit: Int) throws {
        path = file.path
        var kept = ""
        if limit > 0, let text = try? String(contentsOf: file, encoding: .utf8) {
            for line in text.split(separator: "\n") {
                guard let json = try? JSON(parsing: String(line)), let step = json["step"]?.int, step <= limit else { continue }
                kept += line + "\n"
            }
        }
        try AtomicFile.write(to: path) { try $0.write(kept) }
        guard let handle = FileHandle(forWritingAtPath: path) else {
            throw DataError(.cannotCreate, "the log cannot be written", file: path)
        }
        self.handle = handle
        handle.seekToEndOfFile()
    }

    func add(step: Int, _ members: [(key: String, value: JSON)]) throws {
        let seconds = ((ContinuousClock.now - start) / .milliseconds(1)).rounded() / 1000
        pending += JSON.object([("step", .integer(step))] + members + [("seconds", .number(seconds))]).serialized() + "\n"
        if pending.utf8.count > 1 << 14 { try flush() }
    }

    func flush() throws {
        guard !pending.isEmpty else { return }
        do { try handle.write(contentsOf: Data(pending.utf8)) } catch {
            throw DataError(.inputOutput, "the log cannot be written: \(error.localizedDescription)", file: path)
        }
        pending = ""
    }

    deinit { try? flush() }
}
