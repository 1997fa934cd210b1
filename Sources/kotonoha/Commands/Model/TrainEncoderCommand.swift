import ArgumentParser
import FileFormats
import Foundation
import Figures
import Tensors
import Training

struct TrainEncoderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "encoder", abstract: "Train a sentence encoder from a configuration file.",
        discussion: """
            kotonoha train encoder config.json -o my-model

            Checkpoints, the best weights and a log (log.jsonl) go to my-model.run, or to
            --run. After an interruption the same command resumes from the last checkpoint
            and ends with the same weights as an uninterrupted run. docs/training.md
            describes the configuration.
            """)

    @Argument(help: "The configuration, JSON.")
    var configuration: String

    @Option(name: .shortAndLong, help: "The model's folder, written when training ends.")
    var output: String

    @Option(name: .customLong("run"), help: ArgumentHelp("Folder of checkpoints and log; OUTPUT.run if not given.", valueName: "dir"))
    var runFolder: String?

    @Flag(help: "Start over, ignoring checkpoints.")
    var fresh = false

    @Option(in: .steps, help: "Steps, overriding the configuration.")
    var steps: Int?

    @Option(in: .seed, help: "Seed of all random choices, overriding the configuration.")
    var seed: UInt64?

    @Option(in: .learningRate, help: "Peak learning rate, overriding the configuration.")
    var learningRate: Double?

    @Option(in: .threads, help: "Number of threads; results do not depend on it.")
    var threads = Parallel.availableThreads

    @Option(in: .steps, help: "Steps between progress lines.")
    var logEvery = 100

    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func run() throws {
        let settings = try SentenceTrainingConfiguration(file: configuration, steps: steps, seed: seed, learningRate: learningRate)
        try writing.check(inputs: [configuration] + settings.inputs, files: [], folders: [output, runFolder ?? output + ".run"],
                          continuing: [runFolder ?? output + ".run"])
        let progress = ProgressLine(unit: "sentences", isQuiet: report.quiet)
        let view = TrainingView(steps: settings.steps, every: logEvery, progress: progress, isQuiet: report.quiet)
        let trainer = try SentenceTrainer(settings, threads: threads, watch: view.show)
        let folder = URL(fileURLWithPath: runFolder ?? output + ".run")
        if fresh { try Checkpoint.removeAll(in: folder) }
        try trainer.run(in: folder, shouldStop: { Interruption.isRequested }, watch: view.show)
        progress.finish()
        try drawCurves(folder)
        try trainer.takeFinalWeights(from: folder)
        var writer = SentenceModelWriter(maxLength: settings.maxLength, tokenizerPath: settings.tokenizer)
        writer.storage = settings.storage
        writer.pooling = settings.pooling
        try writer.write(trainer.encoder, tokenizer: trainer.tokenizer, to: URL(fileURLWithPath: output))
        let best = trainer.history.best.map { ", best mean \(Console.fixed($0, 4)) in step \(trainer.history.bestStep)" } ?? ""
        if report.json {
            try Console.print(JSON.object([("output", .string(output)), ("steps", .integer(trainer.step)), ("best", trainer.history.best.map { .number($0) } ?? .null),
                                       ("best_step", .integer(trainer.history.bestStep))]).serialized())
        } else if !report.quiet {
            Console.say("\(output): \(trainer.step) steps\(best)")
        }
    }
}

extension TrainEncoderCommand {
    /// `loss.svg`: each task's loss and each dev figure over the steps.
    private func drawCurves(_ folder: URL) throws {
        let curve = try LossCurve(log: folder.appendingPathComponent("log.jsonl").path)
        var options = LineChart.Options()
        options.xTitle = "step"
        options.yTitle = "loss; dashed: figure on dev"
        if let best = curve.bestStep { options.verticalMarks = [(Double(best), "best")] }
        let series = curve.losses.map { LineChart.Series($0.name, x: $0.steps, y: $0.values) }
            + curve.figures.map { LineChart.Series("dev " + $0.name, x: $0.steps, y: $0.values, isDashed: true) }
        try LineChart(series, options: options).write(to: folder.appendingPathComponent("loss.svg"))
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
            say("\(name): \(Console.counted(rows, "row"))" + (truncated > 0 ? ", \(Console.counted(truncated, "sentence")) truncated" : "")
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
            say("step \(step): " + figures.map { "\($0.name) \(Console.fixed($0.value, 4))" }.joined(separator: ", ")
                + ", mean \(Console.fixed(mean, 4))" + (isBest ? " (best)" : ""))
        case .saved(let step, let file): say("step \(step) saved in \(file)")
        case .stoppedEarly(let step, let best): say("stopped after step \(step): nothing better since step \(best)")
        }
    }
}
