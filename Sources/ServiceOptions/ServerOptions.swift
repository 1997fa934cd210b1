import ArgumentParser
import FileFormats
import Tensors

/// What `serve` and `explore` have in common.
public struct ServerOptions: ParsableArguments {
    /// The address to listen on.
    @Option(help: "The address to listen on.")
    public var host = "127.0.0.1"

    /// The port to listen on; 0 for any free port.
    @Option(help: "The port to listen on; 0 for any free port.")
    public var port = 8080

    /// A Unix socket to listen on as well, which only its owner can open.
    @Option(help: ArgumentHelp("Also listen on a Unix socket, which only its owner can open.", valueName: "path"))
    public var socket: String?

    /// Key that clients must send.
    @Option(
        help:
            "The key that clients send as Authorization: Bearer KEY; KOTONOHA_KEY or --key-file is safer, as other users can see command lines."
    )
    public var key: String?

    /// A file whose first line is the key.
    @Option(help: ArgumentHelp("A file whose first line is the key.", valueName: "file"))
    public var keyFile: String?

    /// Answers without a key, even on addresses other than loopback.
    @Flag(help: "Answer without a key, even on addresses other than loopback.")
    public var noKey = false

    /// Host names clients may use besides localhost and addresses.
    @Option(
        help: ArgumentHelp(
            "A host name that clients may use besides localhost and addresses; may be given several times.", valueName: "name"))
    public var allowHost: [String] = []

    /// Number of worker threads; results do not depend on it.
    @Option(help: "Number of worker threads; results do not depend on it.")
    public var threads = Parallel.availableThreads

    /// Maximum number of tokens per batch.
    @Option(help: "Maximum number of tokens per batch.")
    public var batchTokens = 1024

    /// Requests are rejected with status 429 while this many tokens are waiting.
    @Option(help: "Reject requests with status 429 while this many tokens are waiting.")
    public var queueTokens = 65_536

    /// Maximum size of a request body in bytes.
    @Option(help: "Maximum size of a request body in bytes.")
    public var bodyBytes = 32 << 20

    /// No progress, no notes; errors only.
    @Flag(help: "No progress, no notes; errors only.")
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
