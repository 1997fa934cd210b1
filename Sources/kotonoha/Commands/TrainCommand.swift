import ArgumentParser

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Train a network.", subcommands: [TrainSeq2SeqCommand.self])
}
