import FileFormats
import Foundation

/// Attention weights as one self-contained page: every head as a small picture, and the chosen one large, as lines between tokens or as a
/// matrix. For looking at a sentence head by head; a `FigureGrid` of `Heatmap`s is the same for paper.
///
/// The page needs no network, works by keyboard, in English and Japanese, on light and dark ground.
package struct AttentionPage: Sendable {
    /// One head of one layer.
    package struct Panel: Sendable {
        /// What the panel belongs to, as "cross-attention"; panels of one part have the same tokens.
        package var part: String
        /// The same in Japanese; nil if it is the same.
        package var japanesePart: String?
        /// As "layer 1, head 2".
        package var name: String
        /// From 0, where the panel is a layer's, and one head's.
        package var layer: Int?
        package var head: Int?
        /// What looks, a row each.
        package var queries: [String]
        /// What is looked at, a column each.
        package var keys: [String]
        /// In 0 … 1, one list per query.
        package var weights: [[Double]]

        package init(
            part: String, japanesePart: String? = nil, name: String, layer: Int? = nil, head: Int? = nil, queries: [String], keys: [String],
            weights: [[Double]]
        ) {
            (self.part, self.japanesePart, self.name, self.layer, self.head) = (part, japanesePart, name, layer, head)
            (self.queries, self.keys, self.weights) = (queries, keys, weights)
        }
    }

    package let html: String

    /// - Parameter language: of the words on the page; nil for the browser's.
    /// - Throws: `DataError` if there is no panel, a panel whose weights are not a list for each query with a number for each key, or one
    ///   whose tokens are others than those of its part.
    package init(_ panels: [Panel], title: String, language: FigureLanguage? = nil) throws {
        guard !panels.isEmpty else { throw DataError(.usage, "no attention to show") }
        var parts: [(name: String, members: [(key: String, value: JSON)], panels: [JSON], first: Panel)] = []
        var weights: [UInt8] = []
        for panel in panels {
            guard panel.weights.count == panel.queries.count, panel.weights.allSatisfy({ $0.count == panel.keys.count }) else {
                throw DataError(
                    .usage,
                    "'\(panel.name)' has \(panel.weights.count) rows of weights for \(panel.queries.count) queries and \(panel.keys.count) keys"
                )
            }
            if parts.last?.name != panel.part {
                let japanese = panel.japanesePart.map { [(key: "ja", value: JSON.string($0))] } ?? []
                let members =
                    [("name", JSON.string(panel.part))] + japanese
                    + [("queries", .array(panel.queries.map(JSON.string))), ("keys", .array(panel.keys.map(JSON.string)))]
                parts.append((panel.part, members, [], panel))
            }
            let place = parts.count - 1
            guard parts[place].first.queries == panel.queries, parts[place].first.keys == panel.keys else {
                throw DataError(.usage, "'\(panel.name)' has different tokens from the preceding panel of '\(panel.part)'")
            }
            let at = [("layer", panel.layer), ("head", panel.head)].compactMap { name, value in
                value.map { (key: name, value: JSON.integer($0)) }
            }
            parts[place].panels.append(.object([("name", .string(panel.name))] + at))
            for row in panel.weights {
                for weight in row {
                    let share = UInt16((weight.isFinite ? max(0, min(1, weight)) : 0) * 65535 + 0.5)
                    weights += [UInt8(truncatingIfNeeded: share), UInt8(truncatingIfNeeded: share >> 8)]
                }
            }
        }
        let data = JSON.object(
            (language.map { [(key: "language", value: JSON.string($0.rawValue))] } ?? [])
                + [
                    ("parts", .array(parts.map { .object($0.members + [("panels", .array($0.panels))]) })),
                    ("weights", .string(Data(weights).base64EncodedString())),
                ])
        html = PageTemplate.filled(
            String(decoding: PackageResources.attention_html, as: UTF8.self),
            [
                "lang": (language ?? .english).rawValue, "title": SVGWriter.escaped(Typesetter.oneLine(title)),
                "style": String(decoding: PackageResources.attention_css, as: UTF8.self),
                "script": String(decoding: PackageResources.attention_js, as: UTF8.self), "data": PageTemplate.script(data),
            ])
    }

    /// Writes the page; it appears when it is complete.
    package func write(to file: URL) throws { try Output.write(Array(html.utf8), to: file) }
}

/// Pages with places for text in them, as `{{title}}`.
enum PageTemplate {
    static func filled(_ template: String, _ values: [String: String]) -> String {
        let parts = template.components(separatedBy: "{{")
        return parts[0]
            + parts.dropFirst().map { part in
                guard let end = part.range(of: "}}") else { return part }
                return (values[String(part[..<end.lowerBound])] ?? "") + part[end.upperBound...]
            }.joined()
    }

    /// JSON as it may stand inside a script element: nothing in it can end the element.
    static func script(_ json: JSON) -> String { json.serialized().replacingOccurrences(of: "<", with: "\\u003c") }
}
