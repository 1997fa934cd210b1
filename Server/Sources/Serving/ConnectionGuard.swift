import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Limits of one connection, behind the HTTP decoder: a request's body has a size and a time, and whoever does not read its answer is cut off. The
/// time of the head is kept by `HeadTimer`, which stands before the decoder.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limits: ConnectionLimits
    private let timer: HeadTimer
    private var bodyTimeout: Scheduled<Void>?
    private var writeTimeout: Scheduled<Void>?
    private var received = 0
    private var isOverLimit = false

    private let gone: GoneConnections

    init(_ limits: ConnectionLimits, timer: HeadTimer, gone: GoneConnections) {
        (self.limits, self.timer, self.gone) = (limits, timer, gone)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The client has closed its side: nobody will read what is still to be computed.
        if let event = event as? ChannelEvent, event == .inputClosed { gone.closed(context.channel) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            timer.headIsRead()
            received = 0
            let announced = head.headerFields[.contentLength].flatMap { Int($0) } ?? 0
            if head.headerFields[.expect]?.lowercased() == "100-continue" && announced <= limits.bodyBytes {
                context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
            }
            bodyTimeout = close(context, after: limits.bodyTime)
        case .body(let part):
            received += part.readableBytes
            // What is far beyond the limit is not read to its end; the answer that says so closes the connection.
            if received > limits.bodyBytes + 65_536 {
                if isOverLimit { return }
                isOverLimit = true
            }
        case .end:
            timer.requestIsRead()
            bodyTimeout?.cancel()
            bodyTimeout = nil
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part = unwrapOutboundIn(data)
        context.write(data, promise: promise)
        guard case .end = part else { return }
        if isOverLimit {
            context.flush()
            context.close(promise: nil)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        writeTimeout?.cancel()
        writeTimeout = context.channel.isWritable ? nil : close(context, after: limits.writeTime)
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        bodyTimeout?.cancel()
        writeTimeout?.cancel()
        gone.closed(context.channel)
        gone.forget(context.channel)
        context.fireChannelInactive()
    }

    private func close(_ context: ChannelHandlerContext, after time: TimeAmount) -> Scheduled<Void> {
        let channel = context.channel
        return context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }
}

/// Before the decoder: closes a connection whose request head does not come to its end in time, however slowly it drips.
final class HeadTimer: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let limits: ConnectionLimits
    private var timeout: Scheduled<Void>?
    private var isInHead = true

    init(_ limits: ConnectionLimits) { self.limits = limits }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isInHead && timeout == nil {
            let channel = context.channel
            timeout = context.eventLoop.scheduleTask(in: limits.headTime) { channel.close(promise: nil) }
        }
        context.fireChannelRead(data)
    }

    func headIsRead() {
        timeout?.cancel()
        timeout = nil
        isInHead = false
    }

    func requestIsRead() { isInHead = true }

    func channelInactive(context: ChannelHandlerContext) {
        timeout?.cancel()
        context.fireChannelInactive()
    }
}

/// Next to the socket: holds a close back until all that was written has gone out.
///
/// Closing drops what still waits for room in the socket, and at the end of the server Hummingbird closes right behind an answer's last write, so
/// a client that reads slowly would lose the end of a long answer. A second close, such as that of a time limit, is not held back.
final class FlushBeforeClose: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let limits: ConnectionLimits
    private var waiting = 0
    private var held: (mode: CloseMode, promise: EventLoopPromise<Void>?)?
    private var timeout: Scheduled<Void>?

    init(_ limits: ConnectionLimits) { self.limits = limits }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        waiting += 1
        let written = promise ?? context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in
            self.waiting -= 1
            if self.waiting == 0 { self.release(context) }
        }
        context.write(data, promise: written)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard waiting > 0, held == nil, mode != .input else {
            release(context)
            return context.close(mode: mode, promise: promise)
        }
        held = (mode, promise)
        let channel = context.channel
        timeout = context.eventLoop.scheduleTask(in: limits.writeTime) { channel.close(promise: nil) }
        context.flush()
    }

    private func release(_ context: ChannelHandlerContext) {
        guard let close = held else { return }
        held = nil
        timeout?.cancel()
        context.close(mode: close.mode, promise: close.promise)
    }
}

/// What one connection may take of time and memory.
public struct ConnectionLimits: Sendable {
    /// Of a request's body.
    public var bodyBytes = 32 << 20
    /// Of all header fields.
    public var headerBytes = 32 << 10
    /// From a head's first byte to its last.
    public var headTime = TimeAmount.seconds(10)
    /// From a head to the end of the body.
    public var bodyTime = TimeAmount.seconds(60)
    /// Without room for more bytes of an answer.
    public var writeTime = TimeAmount.seconds(60)
    /// Between two requests.
    public var idleTime = TimeAmount.seconds(75)
    /// Open connections; further ones wait in the backlog.
    public var connections = 1024

    public init() {}
}
