/// A page that shows outputs beside their targets, differing units marked.
package struct ComparisonPage: Sendable {
    /// One unit of an output, as it differs from the target.
    package enum Unit: Sendable, Equatable {
        case equal(String)
        /// A wrong unit in place of the right one.
        case substituted(target: String, output: String)
        /// A unit that the target does not have.
        case extra(String)
        /// A unit of the target that the output lacks.
        case missing(String)
    }

    package struct Row: Sendable {
        package var line: Int
        package var source: String
        package var target: String
        package var output: [Unit]

        package init(line: Int, source: String, target: String, output: [Unit]) {
            (self.line, self.source, self.target, self.output) = (line, source, target, output)
        }
    }

    package var title: String
    /// One sentence of figures above the table.
    package var summary: String
    package var rows: [Row]
    /// Of the words around the table.
    package var language: FigureLanguage

    package init(title: String, summary: String, rows: [Row], language: FigureLanguage = .english) {
        (self.title, self.summary, self.rows, self.language) = (title, summary, rows, language)
    }

    package var html: String {
        let body = rows.map { row in
            let differences = row.output.count { if case .equal = $0 { false } else { true } }
            return "<tr\(differences == 0 ? "" : " class=\"differs\"")><td>\(row.line)</td><td>\(SVGWriter.escaped(row.source))</td>"
                + "<td>\(SVGWriter.escaped(row.target))</td><td>\(row.output.map(Self.marked).joined())</td><td>\(differences)</td></tr>"
        }
        let says = language.says
        let columns = [
            says("line", "行"), says("source", "入力"), says("target", "正解"), says("output", "出力"), says("differences", "違い"),
        ]
        let marks = [("wrong", says("wrong", "誤り")), ("extra", says("additional", "余分")), ("missing", says("missing", "不足"))]
        let legend = marks.map { "<span class=\"\($0)\">\($1)</span>" }.joined(separator: says(", ", "、")) + says(".", "。")
        return """
            <!DOCTYPE html>
            <html lang="\(language.rawValue)"><meta charset="utf-8"><title>\(SVGWriter.escaped(title))</title>
            <style>
            body { font: 15px/1.6 sans-serif; margin: 2em; } table { border-collapse: collapse; } td, th { padding: .1em .8em; text-align: left; }
            tr.differs { background: #fff6f0; } .wrong { color: #c00; font-weight: bold; } .extra { color: #c00; text-decoration: underline; }
            .missing { color: #07a; text-decoration: line-through; }
            </style>
            <h1>\(SVGWriter.escaped(title))</h1>
            <p>\(SVGWriter.escaped(summary))
            \(legend)</p>
            <table><tr>\(columns.map { "<th>\($0)</th>" }.joined())</tr>
            \(body.joined(separator: "\n"))
            </table></html>

            """
    }

    private static func marked(_ unit: Unit) -> String {
        switch unit {
        case .equal(let unit): SVGWriter.escaped(unit)
        case .substituted(let target, let output):
            "<span class=\"wrong\" title=\"\(SVGWriter.escaped(target))\">\(SVGWriter.escaped(output))</span>"
        case .extra(let unit): "<span class=\"extra\">\(SVGWriter.escaped(unit))</span>"
        case .missing(let unit): "<span class=\"missing\">\(SVGWriter.escaped(unit))</span>"
        }
    }
}
