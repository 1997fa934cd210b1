import Foundation
import HTTPTypes
import HummingbirdCore
import Kotonoha
import Logging
import NIOCore
import Synchronization

/// From an HTTP request to an answer: who may ask, what is asked, and what becomes of work whose client has gone.
final class Responder: Sendable {
    let api: API
    let admission: Admission
    let limits: ConnectionLimits
    /// Further paths that begin alike, such as those of the page.
    let others: (any PathHandler)?
    private let gone: GoneConnections
    private let isDraining = Atomic(false)

    init(_ api: API, admission: Admission, limits: ConnectionLimits, gone: GoneConnections, others: (any PathHandler)?) {
        (self.api, self.admission, self.limits, self.gone, self.others) = (api, admission, limits, gone, others)
    }

    /// From now on every request is refused; those that are being answered go on.
    func drain() { isDraining.store(true, ordering: .relaxed) }

    func respond(_ request: Request, on channel: any Channel) async -> Response {
        let begin = ContinuousClock.now
        api.metrics.began()
        let path = request.uri.path, known = API.routes[path]
        var answer: Answer
        // A HEAD is a GET whose body stays here.
        let method = request.method == .head ? "GET" : request.method.rawValue
        do {
            guard !isDraining.load(ordering: .relaxed) else {
                var error = APIError(
                    .serviceUnavailable, "the server is shutting down", type: "server_error", code: "shutting_down", retryAfter: 1)
                error.closes = true
                throw error
            }
            try admission.check(request, isOpen: known?.isOpen ?? false, isLocalSocket: channel.localAddress?.pathname != nil)
            if let known {
                guard known.method.rawValue == method else { throw Self.methodNotAllowed([known.method]) }
                answer = try await self.answer(known, request, on: channel)
            } else if let others, let route = others.route(path) {
                guard route.method.rawValue == method else { throw Self.methodNotAllowed([route.method]) }
                answer = try await self.answer(route, request, on: channel)
            } else {
                throw APIError(.notFound, "there is nothing at \(path); /docs lists what there is", code: "not_found")
            }
        } catch {
            answer = Answer(error is CancellationError ? Self.clientGone : APIError(error), known?.errors ?? .openAI)
        }
        let label = known == nil && others?.route(path) == nil ? "other" : path
        api.metrics.ended(label, status: answer.status.code, seconds: (ContinuousClock.now - begin) / .seconds(1))
        return response(answer, isHead: request.method == .head)
    }

    /// Nobody reads it; it is for the counts.
    private static let clientGone = APIError(.init(code: 499, reasonPhrase: "Client Closed Request"), "the client has gone")

    private static func methodNotAllowed(_ methods: [API.Method]) -> APIError {
        var error = APIError(
            .methodNotAllowed, "this path takes \(methods.map(\.rawValue).joined(separator: ", "))", code: "method_not_allowed")
        error.allowed = methods.map(\.rawValue).joined(separator: ", ")
        return error
    }

    private func answer(_ route: API.Route, _ request: Request, on channel: any Channel) async throws -> Answer {
        var fields: Fields?
        if route.method == .post {
            let body = try await body(request)
            let bytes = Array(buffer: body)
            // A large body takes its time to be read, which belongs on a worker.
            fields = bytes.count > 65_536 ? try await api.queue.perform { try Fields(bytes) } : try Fields(bytes)
        } else {
            fields = Fields(query: request.uri)
        }
        let api = api, read = fields
        let work = Task { try await route.answer(api, read) }
        let watch = gone.watch(channel) { work.cancel() }
        defer { gone.unwatch(channel, watch) }
        return try await work.value
    }

    private func body(_ request: Request) async throws -> ByteBuffer {
        func tooLarge() -> APIError {
            var error = APIError(.contentTooLarge, "the body is larger than \(limits.bodyBytes) bytes", code: "body_too_large")
            error.closes = true
            return error
        }
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limits.bodyBytes { throw tooLarge() }
        do {
            return try await request.body.collect(upTo: limits.bodyBytes)
        } catch is NIOTooManyBytesError {
            throw tooLarge()
        }
    }

    private func response(_ answer: Answer, isHead: Bool) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = answer.type
        headers[.server] = "kotonoha"
        headers[.xContentTypeOptions] = "nosniff"
        headers[.cacheControl] = "no-store"
        for (name, value) in answer.headers { headers[name] = value }
        headers[.contentLength] = String(answer.body.count)
        return Response(status: answer.status, headers: headers, body: isHead ? .init() : .init(byteBuffer: ByteBuffer(bytes: answer.body)))
    }
}

/// Paths beside those of the interface.
protocol PathHandler: Sendable {
    func route(_ path: String) -> API.Route?
}

/// Tells the work of a request that its client has gone.
final class GoneConnections: Sendable {
    private struct Watched {
        var number = 0
        var callbacks: [ObjectIdentifier: (number: Int, call: @Sendable () -> Void)] = [:]
        var gone: Set<ObjectIdentifier> = []
    }
    private let watched = Mutex(Watched())

    func watch(_ channel: any Channel, _ callback: @escaping @Sendable () -> Void) -> Int {
        let id = ObjectIdentifier(channel)
        let (number, isGone) = watched.withLock { watched in
            watched.number += 1
            watched.callbacks[id] = (watched.number, callback)
            return (watched.number, watched.gone.contains(id))
        }
        if isGone { callback() }
        return number
    }

    func unwatch(_ channel: any Channel, _ number: Int) {
        let id = ObjectIdentifier(channel)
        watched.withLock { watched in
            if watched.callbacks[id]?.number == number { watched.callbacks[id] = nil }
        }
    }

    /// The client has closed its side.
    func closed(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        let call = watched.withLock { watched in
            watched.gone.insert(id)
            return watched.callbacks[id]?.call
        }
        call?()
    }

    /// The channel's identity will belong to another one.
    func forget(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        watched.withLock { watched in
            watched.gone.remove(id)
            watched.callbacks[id] = nil
        }
    }
}
