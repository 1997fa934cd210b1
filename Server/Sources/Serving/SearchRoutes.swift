import Foundation
import Kotonoha

extension API {
    func index(_ name: String?) throws -> VectorIndex {
        if let found = name == nil ? holdings.indexes.first : holdings.indexes.first(where: { $0.name == name }) { return found }
        guard let name else {
            throw APIError(.notFound, "no vector file is open; start the server with --vectors FILE", parameter: "vectors")
        }
        throw APIError(
            .notFound, "there is no vector file '\(name)' here; there is \(holdings.indexes.map(\.name).joined(separator: ", "))",
            parameter: "vectors")
    }

    /// POST /search: the rows of an opened file that are most similar to a text, a vector or another row.
    func search(_ fields: Fields) async throws -> Answer {
        let index = try index(fields.string("vectors"))
        let top = try fields.integer("top", in: 1...10_000) ?? 10, filters = try filters(fields)
        for filter in filters where index.file.layout.column(named: filter.column) == nil {
            throw APIError.invalid(
                "there is no column '\(filter.column)'; there is \(index.file.layout.columns.map(\.name).joined(separator: ", "))",
                parameter: "where")
        }
        let kinds = ["query", "vector", "row"].filter { fields[$0] != nil }
        guard kinds.count == 1 else {
            throw APIError.invalid(
                "give one of 'query', 'vector' and 'row', not \(kinds.isEmpty ? "none" : kinds.joined(separator: " and "))",
                parameter: "query")
        }
        var queries: Tensor<Float>, except: Int?
        switch kinds[0] {
        case "query":
            queries = try await vector(of: fields.texts("query", limit: 1).texts[0], in: index, promptName: fields.string("prompt_name"))
        case "vector":
            let values = try fields.numbers("vector") ?? []
            guard values.count == index.file.dimension else {
                throw APIError.invalid(
                    "'vector' has \(values.count) numbers; the file's vectors have \(index.file.dimension)", parameter: "vector")
            }
            queries = Tensor(values, shape: [1, values.count])
        default:
            let row = try fields.integer("row", in: 0...index.file.count - 1) ?? 0
            guard index.valid[row] else { throw APIError.invalid("row \(row) is empty and has no vector", parameter: "row") }
            queries = try index.vector(ofRow: row)
            except = row
        }
        let (found, excluded, threads) = (queries, except, settings.searchThreads)
        return try await searches.perform {
            let best = try index.search(found, top: top, filters: filters, except: excluded, threads: threads)
            let results = try best[0].map { hit in
                JSON.object([
                    ("score", .number(Double(hit.score))), ("row", .integer(hit.row)), ("columns", .object(try index.cells(row: hit.row))),
                ])
            }
            return Answer(
                .object([("vectors", .string(index.name)), ("results", .array(results))]), fingerprint: index.encoder?.fingerprint)
        }
    }

    /// The vector of a query, made as the file's rows were; with another of the model's prompts where one is named.
    func vector(of query: String, in index: VectorIndex, promptName: String?) async throws -> Tensor<Float> {
        guard let encoder = index.encoder else {
            throw APIError.invalid(
                "the model '\(index.file.metadata.model)' that made these vectors is not at hand, so a text has no vector; ask by 'vector' or 'row'",
                parameter: "query")
        }
        let engine = try promptName.map { try encoder.engine(promptName: $0) } ?? encoder.engine(prompt: index.file.metadata.prompt)
        return try await queue.run(engine, texts: 1, bytes: query.utf8.count) { _ in
            engine.encoder.prepared(query)
        } render: { rows in
            Tensor(rows.values, shape: [1, rows.width])
        }
    }

    /// `{"condition": "a", "set": ["x", "y"], "length": {"min": 3, "max": 9}}`.
    private func filters(_ fields: Fields) throws -> [VectorIndex.Filter] {
        guard let members = fields["where"] else { return [] }
        guard let members = members.object else {
            throw APIError.invalid("'where' is not an object of columns and values", parameter: "where")
        }
        return try members.map { column, wanted in
            if let list = wanted.array { return .anyOf(column: column, Set(try list.map { try cell($0, column) })) }
            guard wanted.dictionary != nil else { return .anyOf(column: column, [try cell(wanted, column)]) }
            let low = wanted["min"].map { $0.double }, high = wanted["max"].map { $0.double }
            guard low != .some(nil), high != .some(nil), (low ?? nil) ?? -.infinity <= (high ?? nil) ?? .infinity else {
                throw APIError.invalid("'where.\(column)' is not {\"min\": number, \"max\": number}", parameter: "where")
            }
            return .between(column: column, ((low ?? nil) ?? -.infinity)...((high ?? nil) ?? .infinity))
        }
    }

    private func cell(_ value: JSON, _ column: String) throws -> String {
        switch value {
        case .string(let text): text
        case .integer(let number): String(number)
        case .number(let number): "\(number)"
        case .bool(let flag): flag ? "true" : "false"
        default: throw APIError.invalid("'where.\(column)' is neither a value nor a list of values", parameter: "where")
        }
    }
}
