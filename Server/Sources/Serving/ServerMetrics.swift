import Foundation
import Synchronization

/// Counts of the server in Prometheus' text format.
public final class ServerMetrics: Sendable {
    private struct Route {
        var statuses: [Int: Int] = [:]
        var buckets = [Int](repeating: 0, count: ServerMetrics.bounds.count)
        var seconds = 0.0
        var count = 0
    }
    /// Upper bounds of the histogram in seconds.
    static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    private let routes = Mutex<[String: Route]>([:])
    private let open = Atomic(0)
    private let begin = Date()

    public init() {}

    func began() { open.add(1, ordering: .relaxed) }

    func ended(_ path: String, status: Int, seconds: Double) {
        open.subtract(1, ordering: .relaxed)
        routes.withLock { routes in
            var route = routes[path] ?? Route()
            route.statuses[status, default: 0] += 1
            for (place, bound) in Self.bounds.enumerated() where seconds <= bound { route.buckets[place] += 1 }
            route.seconds += seconds
            route.count += 1
            routes[path] = route
        }
    }

    /// Requests that are being answered.
    public var inFlight: Int { open.load(ordering: .relaxed) }

    func prometheus(_ load: ComputeQueue.Load) -> String {
        var text = ""
        func metric(_ name: String, _ kind: String, _ help: String, _ samples: [(labels: String, value: String)]) {
            text += "# HELP kotonoha_\(name) \(help)\n# TYPE kotonoha_\(name) \(kind)\n"
            for (labels, value) in samples { text += "kotonoha_\(name)\(labels) \(value)\n" }
        }
        let routes = routes.withLock { $0 }.sorted { $0.key < $1.key }
        metric(
            "requests_total", "counter", "Requests answered.",
            routes.flatMap { path, route in
                route.statuses.sorted { $0.key < $1.key }.map { ("{path=\"\(path)\",status=\"\($0.key)\"}", String($0.value)) }
            })
        text += "# HELP kotonoha_request_seconds Time from a request's head to its answer.\n# TYPE kotonoha_request_seconds histogram\n"
        for (path, route) in routes {
            for (place, bound) in Self.bounds.enumerated() {
                text += "kotonoha_request_seconds_bucket{path=\"\(path)\",le=\"\(bound)\"} \(route.buckets[place])\n"
            }
            text += "kotonoha_request_seconds_bucket{path=\"\(path)\",le=\"+Inf\"} \(route.count)\n"
            text +=
                "kotonoha_request_seconds_sum{path=\"\(path)\"} \(route.seconds)\nkotonoha_request_seconds_count{path=\"\(path)\"} \(route.count)\n"
        }
        metric("requests_in_flight", "gauge", "Requests that are being answered.", [("", String(inFlight))])
        metric("waiting_tokens", "gauge", "Tokens that wait to be computed.", [("", String(load.waitingTokens))])
        metric("waiting_requests", "gauge", "Requests that wait or are computed.", [("", String(load.waitingRequests))])
        metric("tokens_total", "counter", "Tokens computed.", [("", String(load.computedTokens))])
        metric("texts_total", "counter", "Texts and pairs computed.", [("", String(load.computedTexts))])
        metric("batches_total", "counter", "Packed batches computed.", [("", String(load.batches))])
        metric("refused_total", "counter", "Requests refused because the queue was full.", [("", String(load.refused))])
        metric("dropped_total", "counter", "Requests dropped because their client had gone.", [("", String(load.dropped))])
        metric("uptime_seconds", "gauge", "Seconds since the start.", [("", String(Int(-begin.timeIntervalSinceNow)))])
        return text
    }
}
