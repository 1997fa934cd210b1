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
        subcommands: [
            EmbedCommand.self,
            SimilarityCommand.self,
            RankCommand.self,
            MineCommand.self,
            RerankCommand.self,
            PCACommand.self,
            TSNECommand.self,
            ClusterCommand.self,
            CompareCommand.self,
            EvaluateCommand.self,
            ProbeCommand.self,
            TokenizeCommand.self,
            TrainCommand.self,
            GenerateCommand.self,
            DrawCommand.self,
            InfoCommand.self,
            ModelCommand.self,
            ExportCommand.self,
            ConvertCommand.self,
            VectorsCommand.self,
            MethodsCommand.self,
            ValidateHDF5Command.self,
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
