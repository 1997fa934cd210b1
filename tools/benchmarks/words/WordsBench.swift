import FileFormats
import Foundation
import Glibc
import Tensors
import WordVectors

// Times the training of word vectors for tools/bench: words-bench TEXT [key=value …]. One line of JSON.

/// Seconds that the processor spent on this process, all threads together.
private func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

@main struct WordsBench {
    static func main() throws {
        var settings: [String: String] = [:]
        for argument in CommandLine.arguments.dropFirst(2) {
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 { settings[parts[0]] = parts[1] }
        }
        let given = settings
        func number(_ key: String, _ fallback: Int) -> Int { given[key].flatMap { Int($0) } ?? fallback }

        var options = WordTrainingOptions()
        options.architecture = settings["architecture"].flatMap { WordTrainingOptions.Architecture(rawValue: $0) } ?? .skipGram
        options.loss = settings["loss"].flatMap { WordTrainingOptions.Loss(rawValue: $0) } ?? .negativeSampling
        options.dimension = number("dimension", 100)
        options.epochs = number("epochs", 1)
        options.seed = UInt64(number("seed", 0))
        options.subsample = settings["subsample"].flatMap { Double($0) } ?? 1e-3
        options.exponent = settings["exponent"].flatMap { Double($0) } ?? 0.75
        options.learningRate = settings["learning-rate"].flatMap { Double($0) }
        options.subwords = Subwords(minimum: number("minimum-n", 0), maximum: number("maximum-n", 0), buckets: number("buckets", 2_000_000))
        let threads = number("threads", 1), isHogwild = settings["hogwild"] == "1"

        var readOptions = TrainingText.Options()
        readOptions.minimumCount = number("minimum-count", 5)
        readOptions.folder = NSTemporaryDirectory()
        let path = CommandLine.arguments[1]
        let readBegin = processorSeconds()
        let text = try TrainingText(files: [path], options: readOptions)
        let reading = processorSeconds() - readBegin
        let trainer = try WordTrainer(text: text, options: options, blockChunks: settings["block"].flatMap { Int($0) })
        let begin = ContinuousClock.now, processorBegin = processorSeconds()
        var loss = 0.0
        try trainer.train(threads: threads, isHogwild: isHogwild, progress: { loss = $0.loss })
        let seconds = (ContinuousClock.now - begin) / .seconds(1), processor = processorSeconds() - processorBegin
        if let output = settings["output"] { try WordFile.write(try trainer.table(name: "bench"), to: output, as: .word2vecText) }
        let words = Double(trainer.totalWords)
        print(
            JSON.object([
                ("words", .integer(text.vocabulary.count)), ("tokens", .integer(trainer.totalWords)), ("threads", .integer(threads)),
                ("hogwild", .bool(isHogwild)),
                ("reading_processor_seconds", .number(reading)), ("seconds", .number(seconds)), ("processor_seconds", .number(processor)),
                ("words_a_second", .number(words / seconds)), ("words_a_processor_second", .number(words / processor)),
                ("loss", .number(loss)),
            ]).serialized())
    }
}
