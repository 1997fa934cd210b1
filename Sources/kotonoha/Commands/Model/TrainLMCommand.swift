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

    @OptionGroup var training: TrainingRunOptions

    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func run() throws {
        let settings = try CausalTrainingConfiguration(file: training.configuration, steps: training.steps, seed: training.seed)
        let folder = training.folder, output = training.output
        try training.check(writing, inputs: settings.inputs)
        let progress = ProgressLine(unit: "tokens", isQuiet: report.quiet)
        let view = TrainingView(steps: settings.steps, every: training.logEvery, progress: progress, isQuiet: report.quiet)
        let trainer = try CausalTrainer(settings, threads: training.threads, watch: view.show)
        try training.forgetCheckpointsIfAsked()
        if !report.quiet {
            Console.say(
                "\(Console.grouped(trainer.documents.tokens)) tokens, \(Console.counted(trainer.network.parameters.reduce(0) { $0 + $1.shape.reduce(1, *) }, "parameter")), "
                    + "vocabulary \(Console.grouped(trainer.tokenizer.idBound))")
        }
        try trainer.run(in: folder, shouldStop: { Interruption.isRequested }, watch: view.show)
        progress.finish()
        try trainer.takeFinalWeights(from: folder)
        try trainer.write(to: output)
        let best = trainer.history.best.map { -$0 }
        if report.json {
            try Console.print(
                JSON.object([
                    ("output", .string(URL(fileURLWithPath: output).lastPathComponent)), ("steps", .integer(trainer.step)),
                    ("held_out_loss", best.map { .number($0) } ?? .null), ("perplexity", best.map { .number(exp($0)) } ?? .null),
                    ("best_step", .integer(trainer.history.bestStep)),
                ]).serialized())
        } else if !report.quiet {
            Console.say(
                "\(output): \(trainer.step) steps"
                    + (best.map { ", best perplexity \(Console.fixed(exp($0), 3)) in step \(trainer.history.bestStep)" } ?? ""))
        }
    }
}
