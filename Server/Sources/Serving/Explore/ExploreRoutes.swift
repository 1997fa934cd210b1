import Foundation
import HTTPTypes
import Kotonoha

/// The page of a map and what it asks for, under /explore.
struct ExploreRoutes: PathHandler {
    let map: ExploreMap

    func route(_ path: String) -> API.Route? {
        let map = map
        switch path {
        case "/", "/explore": return API.Route(method: .get, isOpen: true) { _, _ in page() }
        case "/explore/page.js":
            return API.Route(method: .get, isOpen: true) { _, _ in Answer(bytes: ServedPage.script, type: "text/javascript; charset=utf-8")
            }
        case "/explore/page.css":
            return API.Route(method: .get, isOpen: true) { _, _ in Answer(bytes: ServedPage.style, type: "text/css; charset=utf-8") }
        case "/explore/start":
            return API.Route(method: .get) { _, _ in Answer(json: map.start(canSearchMeaning: map.index.encoder != nil)) }
        case "/explore/points": return API.Route(method: .get) { _, _ in Answer(bytes: map.blob, type: "application/octet-stream") }
        case "/explore/column":
            return API.Route(method: .get) { api, query in
                let number = try query!.number("number", in: 0...map.columns.count - 1)
                // Not among the searches, which should not wait for it.
                return try await api.queue.perform { Answer(compressed: try map.column(number)) }
            }
        case "/explore/second" where map.second != nil:
            return API.Route(method: .get) { _, _ in Answer(bytes: map.secondBlob, type: "application/octet-stream") }
        case "/explore/labels":
            return API.Route(method: .get) { api, _ in
                try await api.queue.perform {
                    Answer(
                        .array(
                            map.labels().map {
                                .object([
                                    ("x", .number($0.x)), ("y", .number($0.y)), ("size", .integer($0.size)),
                                    ("words", .array($0.words.map(JSON.string))),
                                ])
                            }))
                }
            }
        case "/explore/block":
            return API.Route(method: .get) { _, query in
                Answer(json: map.block(try query!.number("number", in: 0...(map.rows.count - 1) / ExploreMap.blockSize)))
            }
        case "/explore/find":
            return API.Route(method: .post) { api, fields in
                let words = try fields!.required("words")
                return try await api.searches.perform {
                    Answer(bytes: map.texts().find(words, threads: api.settings.searchThreads), type: "application/octet-stream")
                }
            }
        case "/explore/meaning":
            return API.Route(method: .post) { api, fields in
                let query = try fields!.texts("query", limit: 1).texts[0], top = try fields!.integer("top", in: 1...10_000) ?? 100
                let vector = try await api.vector(of: query, in: map.index, promptName: nil)
                return try await api.searches.perform { Answer(try map.nearest(vector, top: top)) }
            }
        case "/explore/neighbours":
            return API.Route(method: .get) { api, query in
                let place = try query!.number("point", in: 0...map.rows.count - 1)
                return try await api.searches.perform { Answer(try map.neighbours(of: place, top: 10)) }
            }
        case "/explore/export":
            return API.Route(method: .post) { api, fields in
                let fields = fields!, name = try fields.string("format") ?? "csv"
                guard let format = TableOutputFormat(rawValue: name), [.csv, .tsv, .xlsx].contains(format) else {
                    throw APIError.invalid("'format' is not csv, tsv or xlsx", parameter: "format")
                }
                let places = try fields.places("points", below: map.rows.count)
                let column = try fields.string("column"), value = try fields.string("value")
                return try await api.searches.perform {
                    var answer = Answer(
                        bytes: try map.export(places, format: format, label: column.flatMap { name in value.map { (name, $0) } }),
                        type: types[name]!)
                    answer.headers.append((.contentDisposition, "attachment; filename=\"selection.\(name)\""))
                    return answer
                }
            }
        default: return nil
        }
    }

    private func page() -> Answer {
        var answer = Answer(bytes: ServedPage.html(title: "Kotonoha", folder: "/explore"), type: "text/html; charset=utf-8")
        let policy =
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        answer.headers += [(.contentSecurityPolicy, policy), (HTTPField.Name("Referrer-Policy")!, "no-referrer")]
        return answer
    }
}

private let types = [
    "csv": "text/csv; charset=utf-8", "tsv": "text/tab-separated-values; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
]

extension Fields {
    /// A number of a query, which holds strings.
    func number(_ key: String, in range: ClosedRange<Int>) throws -> Int {
        guard let number = Int(try required(key)), range.contains(number) else {
            throw APIError.invalid("'\(key)' is not a whole number from \(range.lowerBound) to \(range.upperBound)", parameter: key)
        }
        return number
    }

    /// Places as bits in base 64, the lowest bit of a byte first.
    func places(_ key: String, below count: Int) throws -> [Int] {
        guard let bits = Data(base64Encoded: try required(key)), bits.count == (count + 7) / 8 else {
            throw APIError.invalid("'\(key)' is not one bit for each of the \(count) points, in base 64", parameter: key)
        }
        return (0..<count).filter { bits[$0 >> 3] & (1 << UInt8($0 & 7)) != 0 }
    }
}

extension Answer {
    /// JSON that gzip has made small.
    init(compressed json: [UInt8]) {
        self.init(json: json)
        headers.append((.contentEncoding, "gzip"))
    }
}
