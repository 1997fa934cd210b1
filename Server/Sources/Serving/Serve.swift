import Foundation
import HTTPTypes
import HummingbirdCore
import Kotonoha
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import UnixSignals

/// A server from its start to its end.
public struct Serve: Sendable {
    public enum Address: Sendable, Equatable {
        case host(String, port: Int)
        case socket(path: String)
    }

    public var addresses: [Address]
    public var admission = Admission()
    public var limits = ConnectionLimits()
    /// A map that is looked at in a browser.
    public var map: ExploreMap?

    public init(addresses: [Address]) { self.addresses = addresses }

    /// Serves until SIGTERM or SIGINT; then new requests are refused, and it returns when the accepted ones are answered.
    ///
    /// - Parameters:
    ///   - signals: that end it.
    ///   - onStart: called once for each address, with the port that is listened on.
    /// - Throws: `DataError` where an address cannot be listened on.
    public func run(
        _ api: API, signals: [UnixSignal] = [.sigterm, .sigint], logger: Logger, onStart: @escaping @Sendable (Address) -> Void = { _ in }
    ) async throws {
        let gone = GoneConnections(), limits = limits
        let responder = Responder(api, admission: admission, limits: limits, gone: gone, others: map.map { ExploreRoutes(map: $0) })
        let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, Parallel.availableThreads / 4))
        var services: [any Service] = []
        for address in addresses {
            let builder = HTTPServerBuilder { respond in GuardedChannel(limits, gone, respond) }
            let bind: BindAddress =
                switch address {
                case .host(let host, let port): .hostname(host, port: port)
                case .socket(let path): .unixDomainSocket(path: path)
                }
            services.append(
                try builder.buildServer(
                    configuration: ServerConfiguration(
                        address: bind, availableConnectionsDelegate: MaximumAvailableConnections(limits.connections, logger: logger)),
                    eventLoopGroup: group, logger: logger
                ) { request, writer, channel in
                    let response = await responder.respond(request, on: channel)
                    try await writer.write(response: response.head, body: response.body)
                } onServerRunning: { channel in
                    switch address {
                    case .host(let host, let port): onStart(.host(host, port: channel.localAddress?.port ?? port))
                    case .socket(let path):
                        // The owner's alone: whoever may open the socket needs no key.
                        chmod(path, 0o600)
                        onStart(.socket(path: path))
                    }
                })
        }
        // The last service is the first to learn of the end.
        let watcher = DrainService { responder.drain() }
        let all = ServiceGroup(configuration: .init(services: services + [watcher], gracefulShutdownSignals: signals, logger: logger))
        do {
            try await all.run()
        } catch let error as IOError {
            let names = addresses.map { address in
                switch address {
                case .host(let host, let port): "\(host):\(port)"
                case .socket(let path): path
                }
            }
            throw DataError(
                .unavailable, "cannot listen (\(String(cString: strerror(error.errnoCode))))", file: names.joined(separator: ", "))
        }
        for case .socket(let path) in addresses { unlink(path) }
        try? await group.shutdownGracefully()
    }
}

/// Learns first that the end has come.
private struct DrainService: Service {
    let onDrain: @Sendable () -> Void

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await gracefulShutdown()
        } onGracefulShutdown: {
            onDrain()
        }
    }
}

/// HTTP/1.1 with limits before and behind the decoder.
private struct GuardedChannel: ServerChildChannel {
    private let http: HTTP1Channel
    private let limits: ConnectionLimits
    private let gone: GoneConnections

    init(_ limits: ConnectionLimits, _ gone: GoneConnections, _ respond: @escaping HTTPChannelHandler.Responder) {
        (self.limits, self.gone) = (limits, gone)
        http = HTTP1Channel(
            responder: respond,
            configuration: .init(
                idleTimeout: limits.idleTime,
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: limits.headerBytes, maxHeaderListSize: limits.headerBytes, maxHeaderFieldCount: 100)))
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        let made = http.setup(channel: channel, logger: logger), limits = limits, gone = gone
        return made.flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let timer = HeadTimer(limits)
            try pipeline.addHandler(timer, position: .first)
            try pipeline.addHandler(FlushBeforeClose(limits), position: .first)
            // Before the handler that keeps count of requests, behind the one that makes requests of bytes.
            try pipeline.addHandler(
                ConnectionGuard(limits, timer: timer, gone: gone),
                position: .before(pipeline.handler(type: HTTPConnectionStateHandler.self)))
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async { await http.handle(value: value, logger: logger) }
}
