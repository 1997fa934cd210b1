import Foundation
import Kotonoha

/// What every interface asks of an encoder.
struct EmbeddingCall: Sendable {
    var texts: [String]
    var engine: EncoderEngine
    /// Components kept of each vector, nil for all.
    var dimensions: Int?
    /// Scale to length 1 where the model does not.
    var normalizes = false
    /// Cut what is too long; else it is an error.
    var truncates = true

    /// Whether rows differ from what the queue computes.
    private var changesRows: Bool { dimensions != nil || (normalizes && !engine.encoder.isNormalized) }

    /// Computes and renders on a worker.
    func run<Answer: Sendable>(
        _ queue: ComputeQueue, render: @escaping @Sendable (ComputeQueue.Rows) throws -> Answer
    ) async throws -> Answer {
        let call = self
        return try await queue.run(engine, texts: texts.count, bytes: texts.reduce(0) { $0 + $1.utf8.count }) { place in
            let prepared = call.engine.encoder.prepared(call.texts[place])
            guard call.truncates || !prepared.isTruncated else {
                let of = call.texts.count > 1 ? "text \(place) (counted from 0)" : "the text"
                throw APIError(
                    .badRequest, "\(of) is longer than the model's \(call.engine.encoder.maxLength) tokens; \"truncate\": true cuts it",
                    parameter: "input", code: "context_length_exceeded")
            }
            return prepared
        } render: { rows in
            try render(call.changesRows ? call.changed(rows) : rows)
        }
    }

    private func changed(_ rows: ComputeQueue.Rows) -> ComputeQueue.Rows {
        var changed = rows
        changed.width = dimensions ?? rows.width
        changed.values = []
        changed.values.reserveCapacity(texts.count * changed.width)
        for row in 0..<texts.count {
            changed.values += SentenceEncoder.truncated(rows.values[row * rows.width..<(row + 1) * rows.width], to: changed.width)
        }
        return changed
    }
}

extension API {
    /// The encoder that a request names; the first one where it names none.
    func encoder(_ name: String?) throws -> ServedEncoder {
        if let found = name == nil ? holdings.encoders.first : holdings.encoders.first(where: { $0.id == name }) { return found }
        guard let name else {
            throw APIError(
                .notFound, "no sentence model is loaded; start the server with --model", parameter: "model", code: "model_not_found")
        }
        throw APIError(.notFound, "there is no model '\(name)' here; there is \(modelNames)", parameter: "model", code: "model_not_found")
    }

    var modelNames: String { (holdings.encoders.map(\.id) + holdings.rerankers.map(\.id)).joined(separator: ", ") }

    /// Components that a request asks for, nil where these are all.
    func dimensions(_ fields: Fields, _ encoder: ServedEncoder) throws -> Int? {
        guard let wanted = try fields.integer("dimensions", in: 1...encoder.encoder.dimension) else { return nil }
        return wanted == encoder.encoder.dimension ? nil : wanted
    }

    /// POST /v1/embeddings, as OpenAI's.
    func embeddings(_ fields: Fields) async throws -> Answer {
        let (texts, _) = try fields.texts("input", limit: settings.maximumInputs)
        let model = try encoder(fields.string("model")), format = try fields.string("encoding_format") ?? "float"
        guard format == "float" || format == "base64" else {
            throw APIError.invalid("'encoding_format' is not float or base64", parameter: "encoding_format")
        }
        let call = EmbeddingCall(
            texts: texts, engine: try model.engine(promptName: fields.string("prompt_name")), dimensions: try dimensions(fields, model),
            truncates: try fields.bool("truncate") ?? settings.truncates)
        return try await call.run(queue) { rows in
            var json = JSONBytes()
            json.bytes.reserveCapacity(rows.values.count * (format == "float" ? 12 : 6) + texts.count * 64 + 256)
            json.raw("{\"object\":\"list\",\"data\":[")
            for row in 0..<texts.count {
                json.raw(row == 0 ? "{\"object\":\"embedding\",\"index\":" : ",{\"object\":\"embedding\",\"index\":")
                json.value(row)
                json.raw(",\"embedding\":")
                let values = rows.values[row * rows.width..<(row + 1) * rows.width]
                if format == "float" { json.vector(values) } else { json.base64(values) }
                json.raw("}")
            }
            json.raw("],\"model\":")
            json.value(.string(model.id))
            json.raw(",\"usage\":")
            json.value(.object([("prompt_tokens", .integer(rows.tokens)), ("total_tokens", .integer(rows.tokens))]))
            if !rows.truncated.isEmpty {
                json.raw(",\"truncated\":")
                json.value(.array(rows.truncated.map(JSON.integer)))
            }
            json.raw("}")
            return Answer(json: json.bytes, truncated: rows.truncated.count, fingerprint: model.fingerprint)
        }
    }

    /// POST /embed, as text-embeddings-inference's.
    func embed(_ fields: Fields) async throws -> Answer {
        let (texts, _) = try fields.texts("inputs", limit: settings.maximumInputs)
        let model = try encoder(fields.string("model"))
        let call = EmbeddingCall(
            texts: texts, engine: try model.engine(promptName: fields.string("prompt_name")), dimensions: try dimensions(fields, model),
            normalizes: try fields.bool("normalize") ?? true, truncates: try fields.bool("truncate") ?? false)
        return try await call.run(queue) { rows in
            var json = JSONBytes()
            json.bytes.reserveCapacity(rows.values.count * 12 + 64)
            json.raw("[")
            for row in 0..<texts.count {
                if row > 0 { json.raw(",") }
                json.vector(rows.values[row * rows.width..<(row + 1) * rows.width])
            }
            json.raw("]")
            return Answer(json: json.bytes, truncated: rows.truncated.count, fingerprint: model.fingerprint)
        }
    }

    /// POST /similarity, as text-embeddings-inference's: cosines of one sentence with others.
    func similarity(_ fields: Fields) async throws -> Answer {
        guard let inputs = try fields.object("inputs") else { throw APIError.invalid("'inputs' is missing", parameter: "inputs") }
        let (first, isSingle) = try inputs.texts("source_sentence", limit: 1)
        guard isSingle else { throw APIError.invalid("'source_sentence' is not a string", parameter: "source_sentence") }
        let (others, _) = try inputs.texts("sentences", limit: settings.maximumInputs - 1)
        let parameters = try fields.object("parameters")
        let model = try encoder(fields.string("model"))
        let call = EmbeddingCall(
            texts: first + others, engine: try model.engine(promptName: parameters?.string("prompt_name") ?? fields.string("prompt_name")),
            truncates: try parameters?.bool("truncate") ?? fields.bool("truncate") ?? settings.truncates)
        return try await call.run(queue) { rows in
            let cosines = PairSimilarity.cosines(
                of: rows.values, width: rows.width, pairs: (1..<first.count + others.count).map { (0, $0) })
            return Answer(
                .array(cosines.map { $0.map(JSON.number) ?? .null }), truncated: rows.truncated.count, fingerprint: model.fingerprint)
        }
    }
}
