import ArgumentParser

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Train a network.",
        subcommands: [
            TrainEncoderCommand.self, TrainLMCommand.self, TrainVocabularyCommand.self, TrainSeq2SeqCommand.self, TrainWordsCommand.self,
            TrainClassifierCommand.self,
        ])
}
