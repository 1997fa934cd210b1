import ArgumentParser
import Foundation
import Kotonoha
import Logging
import ServiceOptions
import Serving

/// The server's program; `kotonoha serve` and `kotonoha explore` start it.
@main
struct ServeProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kotonoha-serve", abstract: "Vectors of sentences over HTTP.", subcommands: [ServeCommand.self, ExploreCommand.self],
        defaultSubcommand: ServeCommand.self)

    static func main() async {
        // A client that goes while its answer is written is not a reason to end.
        signal(SIGPIPE, SIG_IGN)
        // libhdf5 crashes on some damaged files, so a child process reads a foreign one first.
        let child = "internal-validate-hdf5", arguments = CommandLine.arguments
        HDF5Validation.use(.init(executable: "/proc/self/exe", arguments: [child]))
        if arguments.count == 4, arguments[1] == child, let parent = Int32(arguments[2]), let seconds = Int(arguments[3]) {
            Foundation.exit(HDF5Validation.runAsChild(parent: parent, seconds: seconds))
        }
        do {
            do {
                var command = try parseAsRoot()
                if var running = command as? any AsyncParsableCommand { try await running.run() } else { try command.run() }
            } catch let error as DataError {
                say("kotonoha: \(error)")
                Foundation.exit(error.kind.rawValue)
            }
        } catch {
            exit(withError: error)
        }
    }
}

/// Words for whoever started the server.
func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

extension ServerOptions {
    private var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }

    /// Who may ask.
    /// - Throws: `DataError` where the address is open to others and there is neither a key nor `--no-key`.
    func admission() throws -> Admission {
        var found = key ?? ProcessInfo.processInfo.environment["KOTONOHA_KEY"]
        if let keyFile {
            guard let text = try? String(contentsOfFile: keyFile, encoding: .utf8) else {
                throw DataError(.noInput, "the key cannot be read", file: keyFile)
            }
            found = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        }
        if let found, found.isEmpty || found.contains(where: { $0.isWhitespace || !$0.isASCII }) {
            throw DataError(.usage, "a key is a word of ASCII characters without spaces")
        }
        guard isLoopback || found != nil || noKey else {
            throw DataError(.usage, "other machines can reach \(host); give a key (KOTONOHA_KEY, --key-file), or --no-key to answer anyone")
        }
        return Admission(key: noKey ? nil : found, hosts: Set(allowHost + [host]))
    }

    func server() throws -> Serve {
        var server = Serve(addresses: [.host(host, port: port)] + (socket.map { [.socket(path: $0)] } ?? []))
        server.admission = try admission()
        server.limits.bodyBytes = bodyBytes
        return server
    }

    func queue() -> ComputeQueue {
        var settings = ComputeQueue.Settings()
        (settings.workers, settings.batchTokens, settings.capacityTokens) = (threads, batchTokens, queueTokens)
        return ComputeQueue(settings: settings)
    }

    /// Serves until the end, and says where.
    func run(_ serve: Serve, _ api: API, words: String, hint: String) async throws {
        let isQuiet = quiet
        try await serve.run(api, logger: logger) { address in
            guard !isQuiet else { return }
            switch address {
            case .host(let host, let port): say("\(words)http://\(host.contains(":") ? "[\(host)]" : host):\(port)\(hint)")
            case .socket(let path): say("and at the socket \(path)")
            }
        }
    }

    var logger: Logger {
        var logger = Logger(label: "kotonoha") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = quiet ? .error : .warning
        return logger
    }
}

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: ServeArguments.abstract, discussion: ServeArguments.discussion)

    @OptionGroup var arguments: ServeArguments
    @OptionGroup(title: "Server") var server: ServerOptions

    func run() async throws {
        let serve = try server.server()
        var options = SentenceEncoder.Options()
        if let precision = arguments.precision {
            options.precision = precision.isFast ? precision : .f32
            if !precision.isFast { say("note: this processor has no \(precision.rawValue) instructions, so everything is computed in f32") }
        }
        (options.maxLength, options.prompt) = (arguments.maxLength, arguments.prompt)
        let models = arguments.model.isEmpty && arguments.vectors.isEmpty ? [ModelLocation.defaultName] : arguments.model
        let holdings = try Holdings.open(models: models, vectors: arguments.vectors, options: options) { say("note: " + $0) }
        var settings = API.Settings()
        (settings.truncates, settings.searchThreads, settings.version) = (
            !arguments.refuseLong, server.threads, "kotonoha " + kotonohaVersion
        )
        let api = API(holdings, queue: server.queue(), settings: settings)
        let names = holdings.encoders.map(\.id) + holdings.rerankers.map(\.id) + holdings.indexes.map(\.name)
        try await server.run(serve, api, words: "\(names.joined(separator: ", ")) at ", hint: " (/docs lists the paths; Control-C ends)")
    }
}

struct ExploreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explore", abstract: ExploreArguments.abstract, discussion: ExploreArguments.discussion)

    @OptionGroup var arguments: ExploreArguments
    @OptionGroup(title: "Server") var server: ServerOptions

    func run() async throws {
        var serve = try server.server(), encoders: [ServedEncoder] = []
        let map = try ExploreMap.open(
            arguments.input, vectors: arguments.vectors, second: arguments.second, title: arguments.title, threads: server.threads
        ) { file in
            let holdings = try Holdings.open(file, model: arguments.model) { say("note: " + $0) }
            encoders = holdings.encoders
            return holdings.indexes[0]
        }
        serve.map = map
        var settings = API.Settings()
        (settings.searchThreads, settings.version) = (server.threads, "kotonoha " + kotonohaVersion)
        let api = API(Holdings(encoders: encoders, indexes: [map.index]), queue: server.queue(), settings: settings)
        map.prepareFirstPicture()
        Thread.detachNewThread { map.prepareQuestions() }
        try await server.run(
            serve, api, words: "open ", hint: "/explore\(serve.admission.key.map { "#key=" + $0 } ?? "") in a browser (Control-C ends)")
    }
}
