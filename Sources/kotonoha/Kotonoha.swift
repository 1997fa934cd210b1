import ArgumentParser
import FileFormats
import Glibc
import VectorStore

/// The program: a tree of commands, and what its exit status means.
@main
struct KotonohaProgram: ParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "kotonoha",
        abstract: "Turn sentences into vectors, and look at them.",
        discussion: """
            captions.txt ──embed──▶ vectors.h5 ──rank──▶ the most similar sentences
                                               ──pca, tsne──▶ coordinates and pictures

            Results go to standard output or to -o; progress and warnings to standard error.
            """,
        version: version,
        // The hidden child that validates HDF5 files; every other command stands in its group.
        subcommands: [ValidateHDF5Command.self],
        groupedSubcommands: [
            CommandGroup(name: "Vector", subcommands: [EmbedCommand.self, TokenizeCommand.self, VectorsCommand.self, ExportCommand.self, ConvertCommand.self]),
            CommandGroup(name: "Search", subcommands: [SimilarityCommand.self, RankCommand.self, RerankCommand.self, MineCommand.self]),
            CommandGroup(name: "Map", subcommands: [PCACommand.self, TSNECommand.self, ClusterCommand.self, CompareCommand.self]),
            CommandGroup(name: "Language-model", subcommands: [GenerateCommand.self]),
            CommandGroup(name: "Inspection", subcommands: [ProbeCommand.self]),
            CommandGroup(name: "Model", subcommands: [TrainCommand.self, EvaluateCommand.self, ModelCommand.self]),
            CommandGroup(name: "Teaching", subcommands: [DrawCommand.self]),
            CommandGroup(name: "Service", subcommands: [InfoCommand.self, MethodsCommand.self]),
        ])

    /// Data errors end with the status of their kind (sysexits.h), mistakes on the command line with 64.
    static func main() {
        Interruption.install()
        // libhdf5 crashes on some damaged files, so a child process reads a foreign one first.
        HDF5Validation.use(.init(executable: "/proc/self/exe", arguments: [ValidateHDF5Command._commandName]))
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let error as DataError {
            Console.say("kotonoha: \(error)")
            Glibc.exit(error.kind.rawValue)
        } catch {
            exit(withError: error)
        }
    }
}
