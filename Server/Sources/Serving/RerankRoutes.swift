import Foundation
import Kotonoha

extension API {
    private func reranker(_ name: String?) throws -> ServedReranker {
        if let found = name == nil ? holdings.rerankers.first : holdings.rerankers.first(where: { $0.id == name }) { return found }
        guard let name else {
            throw APIError(
                .notFound, "no reranker is loaded; start the server with --model RERANKER", parameter: "model", code: "model_not_found")
        }
        throw APIError(
            .notFound, "there is no reranker '\(name)' here; there is \(modelNames)", parameter: "model", code: "model_not_found")
    }

    /// Scores of texts under a query, in their order.
    private func scores<Made: Sendable>(
        _ model: ServedReranker, query: String, texts: [String], truncates: Bool,
        render: @escaping @Sendable ([(logit: Double, score: Double)], ComputeQueue.Rows) throws -> Made
    ) async throws -> Made {
        try await queue.run(model.engine, texts: texts.count, bytes: texts.reduce(0) { $0 + $1.utf8.count + query.utf8.count }) { place in
            let prepared = try model.encoder.prepared(query, texts[place])
            guard truncates || !prepared.isTruncated else {
                throw APIError(
                    .badRequest,
                    "text \(place) (counted from 0) is longer with the query than the model's \(model.encoder.maxLength) tokens; \"truncate\": true cuts it",
                    code: "context_length_exceeded")
            }
            return prepared
        } render: { rows in
            try render(rows.values.map { (Double($0), model.encoder.score(logit: Double($0))) }, rows)
        }
    }

    /// POST /v1/rerank, in the shape of Jina and Cohere.
    func rerank(_ fields: Fields) async throws -> Answer {
        let query = try fields.texts("query", limit: 1).texts[0], documents = try self.documents(fields)
        let top = try fields.integer("top_n", in: 1...1_000_000) ?? documents.count,
            returnsTexts = try fields.bool("return_documents") ?? false
        let model = try reranker(fields.string("model"))
        return try await scores(model, query: query, texts: documents, truncates: fields.bool("truncate") ?? true) { scores, rows in
            let order = scores.indices.sorted { (-scores[$0].score, $0) < (-scores[$1].score, $1) }.prefix(top)
            let results = order.map { place in
                JSON.object(
                    [("index", .integer(place)), ("relevance_score", .number(scores[place].score))]
                        + (returnsTexts ? [("document", .object([("text", .string(documents[place]))]))] : []))
            }
            return Answer(
                .object([
                    ("id", .string("rerank-" + UUID().uuidString.lowercased())), ("object", .string("list")), ("model", .string(model.id)),
                    ("results", .array(results)),
                    ("usage", .object([("total_tokens", .integer(rows.tokens)), ("prompt_tokens", .integer(rows.tokens))])),
                ]), truncated: rows.truncated.count, fingerprint: nil)
        }
    }

    /// Texts, or objects with a text, as both interfaces allow.
    private func documents(_ fields: Fields) throws -> [String] {
        guard let list = fields["documents"]?.array, list.contains(where: { $0.dictionary != nil }) else {
            return try fields.texts("documents", limit: settings.maximumInputs).texts
        }
        guard list.count <= settings.maximumInputs else {
            throw APIError.invalid(
                "'documents' has \(list.count) texts; at most \(settings.maximumInputs) go into one request", parameter: "documents")
        }
        return try list.enumerated().map { place, item in
            guard let text = item.string ?? item["text"]?.string, !text.allSatisfy(\.isWhitespace) else {
                throw APIError.invalid("'documents[\(place)]' is neither a text nor an object with a text", parameter: "documents")
            }
            return text
        }
    }

    /// POST /rerank, as text-embeddings-inference's.
    func rerankTEI(_ fields: Fields) async throws -> Answer {
        let query = try fields.texts("query", limit: 1).texts[0],
            (texts, isSingle) = try fields.texts("texts", limit: settings.maximumInputs)
        guard !isSingle else { throw APIError.invalid("'texts' is not a list of strings", parameter: "texts") }
        let isRaw = try fields.bool("raw_scores") ?? false, returnsTexts = try fields.bool("return_text") ?? false
        let model = try reranker(fields.string("model"))
        return try await scores(model, query: query, texts: texts, truncates: fields.bool("truncate") ?? false) { scores, rows in
            let order = scores.indices.sorted { (-scores[$0].logit, $0) < (-scores[$1].logit, $1) }
            return Answer(
                .array(
                    order.map { place in
                        // Their score is the sigmoid of the logit, whatever the model's own configuration says.
                        let score = isRaw ? scores[place].logit : 1 / (1 + exp(-scores[place].logit))
                        return .object(
                            [("index", .integer(place)), ("score", .number(score))]
                                + (returnsTexts ? [("text", .string(texts[place]))] : []))
                    }), truncated: rows.truncated.count, fingerprint: nil)
        }
    }
}
