import ArgumentParser
import Foundation
import Tensors
import Training

/// What every command has that trains as a configuration file says: where the run lives and what overrides the file.
struct TrainingRunOptions: ParsableArguments {
    @Argument(help: "The configuration, JSON.")
    var configuration: String

    @Option(name: .shortAndLong, help: "The model's folder, written when training ends.")
    var output: String

    @Option(name: .customLong("run"), help: ArgumentHelp("Folder of checkpoints and log; by default OUTPUT.run.", valueName: "dir"))
    var runFolder: String?

    @Flag(help: "Start over, ignoring checkpoints.")
    var fresh = false

    @Option(in: .steps, help: "Steps, overriding the configuration.")
    var steps: Int?

    @Option(in: .seed, help: "Seed of all random choices, overriding the configuration.")
    var seed: UInt64?

    @Option(in: .threads, help: "Number of threads; results do not depend on it.")
    var threads = Parallel.availableThreads

    @Option(in: .steps, help: "Steps between progress lines.")
    var logEvery = 100

    /// Of checkpoints and log.
    var folder: URL { URL(fileURLWithPath: runFolder ?? output + ".run") }

    /// Refuses outputs over inputs and over finished models, before any work.
    func check(_ writing: OutputOptions, inputs: [String]) throws {
        let folder = runFolder ?? output + ".run"
        try writing.check(inputs: [configuration] + inputs, files: [], folders: [output, folder], continuing: [folder])
    }

    func forgetCheckpointsIfAsked() throws {
        if fresh { try Checkpoint.removeAll(in: folder) }
    }
}

/// Shows what a run tells.
final class TrainingView {
    private let steps: Int
    private let every: Int
    private let progress: ProgressLine
    private let isQuiet: Bool
    private var sentences = 0
    private var note = ""

    init(steps: Int, every: Int, progress: ProgressLine, isQuiet: Bool) {
        self.steps = steps
        self.every = every
        self.progress = progress
        self.isQuiet = isQuiet
    }

    private func say(_ line: String) {
        guard !isQuiet else { return }
        progress.finish()
        Console.say(line)
    }

    func show(_ event: TrainingEvent) {
        switch event {
        case .read(let name, let rows, let truncated, let skipped):
            say(
                "\(name): \(Console.counted(rows, "row"))" + (truncated > 0 ? ", \(Console.counted(truncated, "sentence")) truncated" : "")
                    + (skipped > 0 ? ", \(Console.counted(skipped, "row")) with an empty sentence left out" : ""))
        case .teaching(let name, let done, let total):
            if done == total { say("\(name): \(Console.counted(total, "vector")) of the teacher") }
        case .resumed(let step, let file): say("resuming after step \(step) from \(file)")
        case .step(let step, let losses, let rate, let norm, let count):
            sentences += count
            note = "step \(step), " + losses.map { "\($0.name) \(Console.fixed($0.loss, 3))" }.joined(separator: ", ")
            progress.update(done: sentences, fraction: Double(step) / Double(steps), note: note)
            if step % every == 0 { say("\(note), gradient \(Console.fixed(norm, 2)), rate \(String(format: "%.2e", rate))") }
        case .evaluated(let step, let figures, let mean, let isBest):
            say(
                "step \(step): " + figures.map { "\($0.name) \(Console.fixed($0.value, 4))" }.joined(separator: ", ")
                    + ", mean \(Console.fixed(mean, 4))" + (isBest ? " (best)" : ""))
        case .saved(let step, let file): say("step \(step) saved in \(file)")
        case .stoppedEarly(let step, let best): say("stopped after step \(step): nothing better since step \(best)")
        }
    }
}
