import ArgumentParser
import Figures
import FileFormats
import Foundation
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

    @OptionGroup var training: TrainingRunOptions

    @Option(in: .learningRate, help: "Peak learning rate, overriding the configuration.")
    var learningRate: Double?

    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func run() throws {
        let settings = try SentenceTrainingConfiguration(
            file: training.configuration, steps: training.steps, seed: training.seed, learningRate: learningRate)
        let folder = training.folder, output = training.output
        try training.check(writing, inputs: settings.inputs)
        let progress = ProgressLine(unit: "sentences", isQuiet: report.quiet)
        let view = TrainingView(steps: settings.steps, every: training.logEvery, progress: progress, isQuiet: report.quiet)
        let trainer = try SentenceTrainer(settings, threads: training.threads, watch: view.show)
        try training.forgetCheckpointsIfAsked()
        try trainer.run(in: folder, shouldStop: { Interruption.isRequested }, watch: view.show)
        progress.finish()
        try drawCurves(folder)
        try trainer.takeFinalWeights(from: folder)
        try SentenceModelWriter(settings).write(trainer, to: URL(fileURLWithPath: output))
        let best = trainer.history.best.map { ", best mean \(Console.fixed($0, 4)) in step \(trainer.history.bestStep)" } ?? ""
        if report.json {
            try Console.print(
                JSON.object([
                    ("output", .string(output)), ("steps", .integer(trainer.step)),
                    ("best", trainer.history.best.map { .number($0) } ?? .null),
                    ("best_step", .integer(trainer.history.bestStep)),
                ]).serialized())
        } else if !report.quiet {
            Console.say("\(output): \(trainer.step) steps\(best)")
        }
    }
}

extension TrainEncoderCommand {
    /// `loss.svg`: each task's loss and each dev figure over the steps.
    private func drawCurves(_ folder: URL) throws {
        let curve = try LossCurve(log: folder.appendingPathComponent("log.jsonl").path)
        let language = SessionLanguage.files.figures
        var options = LineChart.Options()
        options.page.language = language
        options.xTitle = language.says("step", "ステップ")
        options.yTitle = language.says("loss; dashed: figure on dev", "損失（破線は開発データでの値）")
        if let best = curve.bestStep { options.verticalMarks = [(Double(best), language.says("best", "最良"))] }
        let series =
            curve.losses.map { LineChart.Series($0.name, x: $0.steps, y: $0.values) }
            + curve.figures.map { LineChart.Series(language.says("dev ", "開発データ: ") + $0.name, x: $0.steps, y: $0.values, isDashed: true) }
        try LineChart(series, options: options).write(to: folder.appendingPathComponent("loss.svg"))
    }
}
