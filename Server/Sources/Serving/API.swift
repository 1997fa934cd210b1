import Foundation
import HTTPTypes
import Kotonoha

/// What the server answers, apart from HTTP's own business.
public final class API: Sendable {
    public struct Settings: Sendable {
        /// Texts of one request.
        public var maximumInputs = 2048
        /// Whether too long texts are cut where a request does not say.
        public var truncates = true
        /// Threads of one search.
        public var searchThreads = Parallel.availableThreads
        /// Seconds after which a sentence that has no vector yet means a stalled encoder.
        public var healthTimeout = 5.0
        /// Name and version of the program.
        public var version = ""

        public init() {}
    }

    public let holdings: Holdings
    public let queue: ComputeQueue
    /// Searches have a thread of their own, so that they do not wait behind batches.
    let searches: ComputeQueue
    public let settings: Settings
    public let metrics = ServerMetrics()

    public init(_ holdings: Holdings, queue: ComputeQueue, settings: Settings = Settings()) {
        (self.holdings, self.queue, self.settings) = (holdings, queue, settings)
        var one = ComputeQueue.Settings()
        one.workers = 1
        searches = ComputeQueue(settings: one, name: "search")
    }

    enum Method: String, Sendable { case get = "GET", post = "POST" }

    /// One path: its method, the shape of its errors, and what answers.
    struct Route: Sendable {
        let method: Method
        var errors = APIError.Shape.openAI
        /// Answered without a key, so that whoever watches the server needs none.
        var isOpen = false
        let answer: @Sendable (API, Fields?) async throws -> Answer
    }

    static let routes: [String: Route] = [
        "/v1/embeddings": Route(method: .post) { try await $0.embeddings($1!) },
        "/v1/models": Route(method: .get) { api, _ in api.models() },
        "/v1/rerank": Route(method: .post) { try await $0.rerank($1!) },
        "/v2/rerank": Route(method: .post) { try await $0.rerank($1!) },
        "/embed": Route(method: .post, errors: .tei) { try await $0.embed($1!) },
        "/rerank": Route(method: .post, errors: .tei) { try await $0.rerankTEI($1!) },
        "/similarity": Route(method: .post, errors: .tei) { try await $0.similarity($1!) },
        "/search": Route(method: .post) { try await $0.search($1!) },
        "/info": Route(method: .get) { api, _ in try api.info() },
        "/health": Route(method: .get, isOpen: true) { api, _ in try await api.health() },
        "/metrics": Route(method: .get) { api, _ in Answer(text: api.metrics.prometheus(api.queue.load)) },
        "/openapi.json": Route(method: .get) { _, _ in Answer(bytes: PackageResources.openapi_json, type: "application/json") },
        "/docs": Route(method: .get) { _, _ in try Answer.documentation() },
    ]

    // MARK: Small answers

    private func models() -> Answer {
        let list = holdings.encoders.map { ($0.id, "embedding") } + holdings.rerankers.map { ($0.id, "reranker") }
        return Answer(
            .object([
                ("object", .string("list")),
                (
                    "data",
                    .array(
                        list.map { id, kind in
                            .object([
                                ("id", .string(id)), ("object", .string("model")), ("created", .integer(0)),
                                ("owned_by", .string("kotonoha")), ("kind", .string(kind)),
                            ])
                        })
                ),
            ]))
    }

    private func info() throws -> Answer {
        let encoders = holdings.encoders.map { model -> JSON in
            let encoder = model.encoder
            return .object([
                ("id", .string(model.id)), ("kind", .string("embedding")), ("sha256", .string(model.sha256)),
                ("fingerprint", .string(model.fingerprint)),
                ("dimension", .integer(encoder.dimension)), ("max_length", .integer(encoder.maxLength)),
                ("pooling", .string(encoder.poolingName)),
                ("normalized", .bool(encoder.isNormalized)), ("precision", .string(encoder.precisionName)),
                ("prompt", .string(encoder.prompt)),
                ("prompts", .object(encoder.directory.prompts.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })),
            ])
        }
        let rerankers = holdings.rerankers.map { model -> JSON in
            .object([
                ("id", .string(model.id)), ("kind", .string("reranker")), ("sha256", .string(model.sha256)),
                ("max_length", .integer(model.encoder.maxLength)),
            ])
        }
        let vectors = holdings.indexes.map { index -> JSON in
            .object([
                ("name", .string(index.name)), ("rows", .integer(index.file.count)), ("dimension", .integer(index.file.dimension)),
                ("model", .string(index.file.metadata.model)), ("columns", .array(index.file.layout.columns.map { .string($0.name) })),
                ("text_queries", .bool(index.encoder != nil)),
            ])
        }
        let load = queue.load, first = holdings.encoders.first
        return Answer(
            .object([
                ("version", .string(settings.version)), ("model_id", .string(first?.id ?? holdings.rerankers.first?.id ?? "")),
                ("model_dtype", .string(first?.encoder.precisionName ?? "f32")),
                ("max_input_length", .integer(first?.encoder.maxLength ?? 0)),
                ("max_client_batch_size", .integer(settings.maximumInputs)), ("max_batch_tokens", .integer(queue.settings.batchTokens)),
                ("fingerprint", .string(first?.fingerprint ?? "")), ("instruction_set", .string(processorKernels)),
                ("models", .array(encoders + rerankers)),
                ("vectors", .array(vectors)), ("workers", .integer(queue.settings.workers)),
                ("waiting_tokens", .integer(load.waitingTokens)),
                ("capacity_tokens", .integer(queue.settings.capacityTokens)),
            ]), fingerprint: first?.fingerprint)
    }

    /// Embeds a sentence through the queue, before all others: a server that answers here can answer.
    private func health() async throws -> Answer {
        let seconds = settings.healthTimeout
        let isWell = try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask { [self] in
                if let model = holdings.encoders.first {
                    let engine = try model.engine(promptName: nil)
                    return try await queue.run(engine, texts: 1, bytes: 0, isUrgent: true) { _ in
                        engine.encoder.prepared("言の葉 words")
                    } render: {
                        $0.values.count > 0
                    }
                }
                guard let model = holdings.rerankers.first else { return true }
                return try await queue.run(model.engine, texts: 1, bytes: 0, isUrgent: true) { _ in
                    try model.encoder.prepared("言の葉", "words")
                } render: {
                    $0.values.count > 0
                }
            }
            group.addTask {
                try await Task.sleep(for: .seconds(seconds))
                return false
            }
            let first = try await group.next() ?? false
            group.cancelAll()
            return first
        }
        guard isWell else {
            throw APIError(
                .serviceUnavailable, "no sentence was embedded within \(seconds) s; the encoder is stalled", type: "server_error",
                code: "stalled")
        }
        return Answer(.object([("status", .string("ok"))]), fingerprint: holdings.encoders.first?.fingerprint)
    }
}

/// What goes back to a client.
struct Answer: Sendable {
    var status = HTTPResponse.Status.ok
    var type = "application/json"
    var body: [UInt8]
    var headers: [(HTTPField.Name, String)] = []

    init(bytes: [UInt8], type: String) { (body, self.type) = (bytes, type) }

    /// - Parameters:
    ///   - truncated: texts that were cut.
    ///   - fingerprint: of the encoder that was asked.
    init(json: [UInt8], truncated: Int = 0, fingerprint: String? = nil) {
        body = json
        if truncated > 0 { headers.append((.truncated, String(truncated))) }
        if let fingerprint { headers.append((.fingerprint, fingerprint)) }
    }

    init(_ json: JSON, truncated: Int = 0, fingerprint: String? = nil) {
        var bytes: [UInt8] = []
        json.write(to: &bytes)
        self.init(json: bytes, truncated: truncated, fingerprint: fingerprint)
    }

    init(text: String) { (body, type) = (Array(text.utf8), "text/plain; version=0.0.4; charset=utf-8") }

    init(_ error: APIError, _ shape: APIError.Shape) {
        self.init(error.body(shape))
        status = error.status
        if let seconds = error.retryAfter { headers.append((.retryAfter, String(seconds))) }
        if let allowed = error.allowed { headers.append((.allow, allowed)) }
        if error.asksForKey { headers.append((.wwwAuthenticate, "Bearer")) }
        if error.closes { headers.append((.connection, "close")) }
    }
}

extension HTTPField.Name {
    /// What decides a vector, in short: two answers with the same one come from the same weights, settings and instructions.
    static let fingerprint = Self("X-Kotonoha-Fingerprint")!
    /// How many texts were cut at the model's longest length.
    static let truncated = Self("X-Kotonoha-Truncated")!
}
