import ArgumentParser

struct VectorsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vectors", abstract: "New vector files out of old ones.", subcommands: [VectorsProjectCommand.self])
}
