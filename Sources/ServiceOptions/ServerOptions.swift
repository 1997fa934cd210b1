import ArgumentParser
import FileFormats
import Tensors

/// What `serve` and `explore` have in common.
public struct ServerOptions: ParsableArguments {
    /// The address to listen on.
    @Option(help: "The address to listen on.")
    public var host = "127.0.0.1"

    /// The port to listen on; 0 for any that is free.
    @Option(help: "The port to listen on; 0 for any that is free.")
    public var port = 8080

    /// A Unix socket to listen on too, which only its owner may open.
    @Option(help: ArgumentHelp("Listen on a Unix socket too, which only its owner may open.", valueName: "path"))
    public var socket: String?

    /// Key that clients must send.
    @Option(
        help: "What clients must send as Authorization: Bearer KEY; better in KOTONOHA_KEY or --key-file, since others see command lines.")
    public var key: String?

    /// A file whose first line is the key.
    @Option(help: ArgumentHelp("A file whose first line is the key.", valueName: "file"))
    public var keyFile: String?

    /// Answers anyone, also on an address that is not loopback.
    @Flag(help: "Answer anyone, also on an address that is not loopback.")
    public var noKey = false

    /// Host names clients may use besides localhost and addresses.
    @Option(help: ArgumentHelp("Host name clients may use besides localhost and addresses; can be repeated.", valueName: "name"))
    public var allowHost: [String] = []

    /// Number of worker threads; results do not depend on it.
    @Option(help: "Worker threads; results do not depend on the number.")
    public var threads = Parallel.availableThreads

    /// Tokens of a batch.
    @Option(help: "Tokens of a batch.")
    public var batchTokens = 1024

    /// Requests are refused with status 429 while this many tokens wait.
    @Option(help: "Refuse requests with status 429 while this many tokens wait.")
    public var queueTokens = 65_536

    /// The longest body of a request, in bytes.
    @Option(help: "Largest body of a request in bytes.")
    public var bodyBytes = 32 << 20

    /// Says nothing but errors.
    @Flag(help: "Say nothing but errors.")
    public var quiet = false

    /// - Throws: `ValidationError` that names the option and its range.
    public func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port is a whole number from 0 to 65,535") }
        guard Bounds.threads.contains(threads) else { throw ValidationError("--threads is \(Bounds.threads.expectation)") }
        guard Bounds.tokens.contains(batchTokens) else { throw ValidationError("--batch-tokens is \(Bounds.tokens.expectation)") }
        guard (1...1 << 30).contains(queueTokens) else { throw ValidationError("--queue-tokens is a whole number from 1 to 1,073,741,824") }
        guard (1024...1 << 30).contains(bodyBytes) else {
            throw ValidationError("--body-bytes is a whole number from 1,024 to 1,073,741,824")
        }
        if key != nil && keyFile != nil { throw ValidationError("--key and --key-file exclude each other") }
    }

    /// The defaults.
    public init() {}
}

extension Precision: ExpressibleByArgument {}
