import FileFormats
import Foundation

/// Attention weights as one self-contained page: a table for each head, the darker a cell the larger its weight, the number under the
/// pointer. For looking at a sentence head by head; a `FigureGrid` of `Heatmap`s is the same for paper.
public struct AttentionPage: Sendable {
    /// One head of one layer.
    public struct Panel: Sendable {
        /// What the panel belongs to, as "cross-attention"; panels of one part stand under one heading.
        public var part: String
        /// As "layer 1, head 2".
        public var name: String
        /// What looks, a row each.
        public var queries: [String]
        /// What is looked at, a column each.
        public var keys: [String]
        /// In 0 … 1, one list a query.
        public var weights: [[Double]]

        public init(part: String, name: String, queries: [String], keys: [String], weights: [[Double]]) {
            self.part = part
            self.name = name
            self.queries = queries
            self.keys = keys
            self.weights = weights
        }
    }

    public let html: String

    /// - Throws: `DataError` where there is no panel, or a panel whose weights are not a list for each query with a number for each key.
    public init(_ panels: [Panel], title: String) throws {
        guard !panels.isEmpty else { throw DataError(.usage, "there is no attention to show") }
        var body = "", part: String?
        for panel in panels {
            guard panel.weights.count == panel.queries.count, panel.weights.allSatisfy({ $0.count == panel.keys.count }) else {
                throw DataError(.usage, "'\(panel.name)' has \(panel.weights.count) rows of weights for \(panel.queries.count) queries and \(panel.keys.count) keys")
            }
            if panel.part != part {
                if part != nil { body += "</section>\n" }
                body += "<h2>\(SVGWriter.escaped(panel.part))</h2>\n<section>\n"
                part = panel.part
            }
            body += Self.table(panel)
        }
        html = """
            <!DOCTYPE html>
            <html lang="ja"><meta charset="utf-8"><title>\(SVGWriter.escaped(title))</title>
            <style>
            body { font: 14px/1.4 sans-serif; margin: 2em; color: #1a1a1a; } section { display: flex; flex-wrap: wrap; gap: 1.5em; }
            table { border-collapse: collapse; } caption { text-align: left; font-weight: bold; padding-bottom: .3em; }
            th { font-weight: normal; padding: 0 .3em; white-space: nowrap; } thead th { writing-mode: vertical-rl; text-align: right; } tbody th { text-align: right; }
            td { width: 1.4em; height: 1.4em; border: 1px solid #fff; }
            </style>
            <h1>\(SVGWriter.escaped(title))</h1>
            <p>A row looks at the columns; the darker, the more. The number stands under the pointer. 行が列を見ています。濃いほど重みが大きく、数値はポインタを重ねると出ます。</p>
            \(body)</section></html>

            """
    }

    private static func table(_ panel: Panel) -> String {
        let head = panel.keys.map { "<th>\(SVGWriter.escaped($0))</th>" }.joined()
        let rows = zip(panel.queries, panel.weights).map { query, weights in
            let cells = zip(panel.keys, weights).map { key, weight in
                let share = weight.isFinite ? max(0, min(1, weight)) : 0
                return "<td style=\"background:\(Palette.Scale.blues.color(at: share).hex)\" title=\"\(SVGWriter.escaped(query)) → \(SVGWriter.escaped(key)): \(weight.fixed(3))\"></td>"
            }
            return "<tr><th>\(SVGWriter.escaped(query))</th>\(cells.joined())</tr>\n"
        }
        return "<table><caption>\(SVGWriter.escaped(panel.name))</caption><thead><tr><td></td>\(head)</tr></thead><tbody>\n\(rows.joined())</tbody></table>\n"
    }

    /// Writes the page; it appears when it is complete.
    public func write(to file: URL) throws { try Output.write(Array(html.utf8), to: file) }
}
