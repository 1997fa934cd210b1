import Figures
import FileFormats
import Foundation
import TestTools
import Testing

@Suite struct AttentionPageTests {
    private func panels(_ n: Int = 4, layers: Int = 2, heads: Int = 3, tokens: [String]? = nil) -> [AttentionPage.Panel] {
        let names = tokens ?? (0..<n).map { "token\($0)" }
        return (0..<layers).flatMap { layer in
            (0..<heads).map { head in
                let weights = names.indices.map { i in
                    names.indices.map { j in j == (i + head) % names.count ? 0.7 : 0.3 / Double(names.count - 1) }
                }
                return .init(
                    part: "Heads", japanesePart: "ヘッド", name: "layer \(layer + 1), head \(head + 1)", layer: layer, head: head,
                    queries: names, keys: names, weights: weights)
            }
        } + [
            .init(
                part: "Rollout", japanesePart: "ロールアウト", name: "layer 1", layer: 0, queries: names, keys: names,
                weights: names.indices.map { i in names.indices.map { i == $0 ? 1 : 0 } })
        ]
    }

    @Test func awkwardTokensCannotLeaveTheirPlace() throws {
        let tokens = ["</script><script>alert(1)</script>", "<!--", "a\u{2028}\"b\\", "か\u{3099}"]
        let html = try AttentionPage(panels(tokens: tokens), title: "</title><script>alert(2)</script>").html
        #expect(!html.contains("<script>alert") && !html.contains("<!--") && html.components(separatedBy: "</script>").count == 3)
        let start = try #require(html.range(of: "id=\"data\">")), end = try #require(html[start.upperBound...].range(of: "</script>"))
        let data = try JSON(parsing: String(html[start.upperBound..<end.lowerBound]))
        #expect(data["parts"]?.array?.first?["keys"]?.array?.compactMap(\.string) == tokens)
        let weights = try #require(Data(base64Encoded: data["weights"]?.string ?? ""))
        #expect(weights.count == 2 * 7 * 16 && Int(weights[0]) + 256 * Int(weights[1]) == Int((0.7 * 65535).rounded()))
    }

    @Test func nothingIsFetchedAndWrongShapesAreRefused() throws {
        let html = try AttentionPage(panels(), title: "t").html
        #expect(html.contains("default-src 'none'") && html.utf8.count < 40_000)
        #expect(
            try html.contains("<html lang=\"en\">")
                && AttentionPage(panels(), title: "t", language: .japanese).html.contains("<html lang=\"ja\">"))
        for word in ["https:", "src=\"", "url(", "@import"] { #expect(!html.contains(word), "\(word)") }
        var wrong = panels()
        wrong[0].weights[1] = [1]
        #expect(throws: DataError.self) { try AttentionPage(wrong, title: "t") }
        wrong = panels()
        wrong[1].keys = ["other", "tokens", "than", "before"]
        #expect(throws: DataError.self) { try AttentionPage(wrong, title: "t") }
        #expect(throws: DataError.self) { try AttentionPage([], title: "t") }
    }

    @Test(.enabled(if: TestTool.chromium.isExpected, "needs Chromium")) func worksByKeyboardInBothLanguagesAndOnAPhone() throws {
        let folder = try TestFolder.make("attention"), file = folder.appendingPathComponent("a.html")
        try AttentionPage(panels(30, layers: 12, heads: 12), title: "二匹の犬が遊ぶ。", language: .english).write(to: file)
        for width in [1200, 390] {
            let browser = try Chromium(width: width, height: 800)
            try browser.open(file)
            #expect(try browser.evaluate("document.querySelectorAll('#heads button').length") as? Int == 144)
            #expect(try browser.evaluate("document.getElementById('chosen').textContent") as? String == "Heads: layer 1, head 1")
            #expect(try browser.evaluate("document.querySelectorAll('#links line').length > 100") as? Bool == true)
            try browser.evaluate("document.querySelector('#heads button').focus()")
            try browser.key("ArrowDown")
            try browser.key("ArrowRight")
            #expect(try browser.evaluate("document.getElementById('chosen').textContent") as? String == "Heads: layer 2, head 2")
            try browser.evaluate("document.querySelector('#queries li').focus()")
            try browser.key("ArrowDown")
            #expect(
                try browser.evaluate("document.getElementById('value').textContent.startsWith('token1 → token2: 0.700')") as? Bool == true)
            try browser.evaluate(
                "document.getElementById('view-matrix').click(); document.getElementById('language').click(); document.getElementById('theme').click()"
            )
            #expect(try browser.evaluate("document.getElementById('chosen').textContent") as? String == "ヘッド：第2層・ヘッド2")
            try browser.evaluate("document.getElementById('cells').focus()")
            try browser.key("ArrowRight")
            #expect(try browser.evaluate("document.getElementById('value').textContent") as? String == "token0 → token1：0.700")
            // Nothing but the parts that scroll by themselves is wider than the window.
            #expect(try browser.evaluate("document.documentElement.scrollWidth <= innerWidth") as? Bool == true)
            #expect(browser.errors.isEmpty, "\(browser.errors)")
        }
    }
}
