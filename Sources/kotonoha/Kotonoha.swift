import ArgumentParser
import FileFormats
import Glibc

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
        subcommands: [
            EmbedCommand.self,
            SimilarityCommand.self,
            RankCommand.self,
            MineCommand.self,
            EvaluateCommand.self,
            ProbeCommand.self,
            TokenizeCommand.self,
            TrainCommand.self,
            GenerateCommand.self,
            InfoCommand.self,
            ExportCommand.self,
        ])

    /// Data errors end with the status of their kind (sysexits.h), mistakes on the command line with 64.
    static func main() {
        Interruption.install()
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
