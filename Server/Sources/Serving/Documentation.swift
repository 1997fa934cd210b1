import Foundation
import Kotonoha

extension Answer {
    /// /docs: the paths of openapi.json as a page, with an example of each; no scripts, nothing from elsewhere.
    static func documentation() throws -> Answer {
        let specification = try PackageResources.openapi_json.withUnsafeBytes { try JSON(parsing: $0) }
        func escaped(_ text: String) -> String {
            text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
        }
        var rows = ""
        for (path, operations) in specification["paths"]?.object ?? [] {
            for (method, operation) in operations.object ?? [] {
                let body = operation["requestBody"]?["content"]?["application/json"]
                rows +=
                    "<section><h2><code>\(method.uppercased()) \(escaped(path))</code></h2><p>\(escaped(operation["summary"]?.string ?? ""))</p>"
                if let example = body?["example"] {
                    rows +=
                        "<pre>curl -s http://localhost:8080\(escaped(path)) -H 'Content-Type: application/json' \\\n  -d '\(escaped(example.serialized()))'</pre>"
                }
                rows += "</section>"
            }
        }
        let page = """
            <!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Kotonoha server</title><style>
            body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark; }
            pre { overflow-x: auto; padding: .6rem .8rem; border: 1px solid #8886; border-radius: 6px; font-size: .85rem; }
            h2 { font-size: 1.05rem; margin: 1.6rem 0 .2rem; } p { margin: .2rem 0 .6rem; }
            </style></head><body><main><h1>Kotonoha server</h1><p>\(escaped(specification["info"]?["description"]?.string ?? ""))
            The same as a specification: <a href="/openapi.json">/openapi.json</a>.</p>\(rows)</main></body></html>
            """
        var answer = Answer(bytes: Array(page.utf8), type: "text/html; charset=utf-8")
        answer.headers.append(
            (
                .contentSecurityPolicy,
                "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
            ))
        return answer
    }
}
