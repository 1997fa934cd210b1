import ArgumentParser
import FileFormats
import Foundation
import Tensors
import Training

struct TrainLMCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lm", abstract: "Train a causal language model from a configuration file.",
        discussion: """
            kotonoha train lm config.json -o my-model

            Trains a Llama-style decoder on documents packed into blocks without padding.
            Checkpoints, the best weights on the held-out documents and a log (log.jsonl)
            go to my-model.run, or to --run. After an interruption the same command resumes
            from the last checkpoint and ends with the same weights as an uninterrupted
            run. docs/training.md describes the configuration.
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

    @Option(in: .threads, help: "Number of threads; results do not depend on it.")
    var threads = Parallel.availableThreads

    @Option(in: .steps, help: "Steps between progress lines.")
    var logEvery = 100

    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func run() throws {
        let settings = try CausalTrainingConfiguration(file: configuration, steps: steps, seed: seed)
        let runFolder = runFolder ?? output + ".run"
        try writing.check(inputs: [configuration] + settings.inputs, files: [], folders: [output, runFolder], continuing: [runFolder])
        let progress = ProgressLine(unit: "tokens", isQuiet: report.quiet)
        let view = TrainingView(steps: settings.steps, every: logEvery, progress: progress, isQuiet: report.quiet)
        let trainer = try CausalTrainer(settings, threads: threads, watch: view.show)
        let folder = URL(fileURLWithPath: runFolder)
        if fresh { try Checkpoint.removeAll(in: folder) }
        if !report.quiet {
            Console.say("\(Console.grouped(trainer.documents.tokens)) tokens, \(Console.counted(trainer.network.parameters.reduce(0) { $0 + $1.shape.reduce(1, *) }, "parameter")), "
                        + "vocabulary \(Console.grouped(trainer.tokenizer.idBound))")
        }
        try trainer.run(in: folder, shouldStop: { Interruption.isRequested }, watch: view.show)
        progress.finish()
        try trainer.takeFinalWeights(from: folder)
        try trainer.write(to: output)
        let best = trainer.history.best.map { -$0 }
        if report.json {
            try Console.print(JSON.object([
                ("output", .string(URL(fileURLWithPath: output).lastPathComponent)), ("steps", .integer(trainer.step)),
                ("held_out_loss", best.map { .number($0) } ?? .null), ("perplexity", best.map { .number(exp($0)) } ?? .null),
                ("best_step", .integer(trainer.history.bestStep)),
            ]).serialized())
        } else if !report.quiet {
            Console.say("\(output): \(trainer.step) steps" + (best.map { ", best perplexity \(Console.fixed(exp($0), 3)) in step \(trainer.history.bestStep)" } ?? ""))
        }
    }
}
