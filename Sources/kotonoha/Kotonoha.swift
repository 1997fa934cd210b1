import ArgumentParser
import FileFormats
import Glibc
import Tensors
import VectorStore

/// The program: a tree of commands, and what its exit status means.
@main
struct KotonohaProgram: ParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "kotonoha",
        abstract: "Sentence and word embeddings: compute, search, map, compare and test them.",
        discussion: """
            captions.txt ──embed──▶ vectors.h5 ──rank──▶ the most similar sentences
                                               ──pca, tsne──▶ coordinates and pictures

            Results go to standard output or to -o; progress and warnings to standard
            error. --version --verbose also names commit, instruction set and libraries.
            """,
        version: version,
        // Hidden children of programs; every other command is in its group.
        subcommands: [ValidateHDF5Command.self, StreamCommand.self],
        groupedSubcommands: [
            CommandGroup(
                name: "Vector",
                subcommands: [EmbedCommand.self, TokenizeCommand.self, VectorsCommand.self, ExportCommand.self, ConvertCommand.self]),
            CommandGroup(name: "Search", subcommands: [SimilarityCommand.self, RankCommand.self, RerankCommand.self, MineCommand.self]),
            CommandGroup(
                name: "Map",
                subcommands: [
                    PCACommand.self, TSNECommand.self, UMAPCommand.self, MDSCommand.self, AutoencoderCommand.self, ClusterCommand.self,
                    CompareCommand.self,
                ]),
            CommandGroup(
                name: "Condition",
                subcommands: [
                    ContrastCommand.self, MatrixCommand.self, RDMCommand.self, RSACommand.self, EncodingCommand.self,
                ]),
            CommandGroup(name: "Language-model", subcommands: [GenerateCommand.self, FillCommand.self, SurprisalCommand.self]),
            CommandGroup(name: "Inspection", subcommands: [ProbeCommand.self, AttentionCommand.self, ExplainCommand.self]),
            CommandGroup(name: "Model", subcommands: [TrainCommand.self, ClassifyCommand.self, EvaluateCommand.self, ModelCommand.self]),
            CommandGroup(name: "Teaching", subcommands: [SimulateCommand.self, DrawCommand.self]),
            CommandGroup(
                name: "Service",
                subcommands: [
                    InfoCommand.self, MethodsCommand.self, ServeCommand.self, ExploreCommand.self, ShardCommand.self,
                ]),
        ])

    /// Data errors end with the status of their kind (sysexits.h), mistakes on the command line with 64. A reader who has gone (`| head`) ends the
    /// program as the signal would, but after outputs are cleared away.
    static func main() {
        StandardStreams.prepare()
        Interruption.install()
        // libhdf5 crashes on some damaged files, so a child process reads a foreign one first.
        HDF5Validation.use(.init(executable: InstalledFiles.executable, arguments: [ValidateHDF5Command._commandName]))
        // The child gets by with less, and tells its parent when memory is what it lacks.
        if CommandLine.arguments.dropFirst().first != ValidateHDF5Command._commandName {
            HDF5Validation.endOnCrash()
            do { try MemoryBudget.checkStart() } catch {
                Console.complain(error)
                // At once: the linear algebra library would wait at the end for a thread that waits for memory.
                _exit(DataError.Kind.memory.rawValue)
            }
            // Where memory is short one of them waits for it, and so would whoever ends it: only once there is enough.
            endIdleThreads()
            // While there is one thread, and before anything reads a variable.
            do {
                try UserSettings.apply()
                try SessionLanguage.check()
            } catch {
                Console.complain(error)
                Glibc.exit(((error as? DataError)?.kind ?? .usage).rawValue)
            }
        }
        do {
            do {
                if VersionReport.isWanted(CommandLine.arguments.dropFirst()) { return try Console.print(VersionReport.text()) }
                if let sheets = try SheetListing.answer(to: CommandLine.arguments) { return try Console.print(sheets) }
                try CommandSuggestion.check(Array(CommandLine.arguments.dropFirst()), in: self)
                var command = try parseAsRoot()
                try command.run()
                // What went to standard output cannot be taken back, but the exit status can say that it is wrong.
                try MappedFile.requireAllWhole()
            } catch  where exitCode(for: error) == .success {
                // Help and version are data: they go where data goes, checked.
                let text = fullMessage(for: error), isJapanese = SessionLanguage.terminal == .japanese
                let japanese = isJapanese ? JapaneseHelp.answer(text, to: Array(CommandLine.arguments.dropFirst()), in: self) : nil
                try Console.write((japanese ?? text) + "\n")
            }
        } catch let error as DataError {
            Console.complain(error)
            Glibc.exit(error.kind.rawValue)
        } catch is ClosedPipe {
            signal(SIGPIPE, SIG_DFL)
            raise(SIGPIPE)
            Glibc.exit(128 + SIGPIPE)
        } catch {
            if SessionLanguage.terminal == .japanese {
                StandardStreams.tell(JapaneseHelp.mistake(fullMessage(for: error)) + "\n")
                exit(withError: exitCode(for: error))
            }
            exit(withError: error)
        }
    }
}
