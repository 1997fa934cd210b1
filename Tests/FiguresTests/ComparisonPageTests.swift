import Figures
import Testing

@Suite struct ComparisonPageTests {
    @Test func marksWhatDiffersAndEscapesMarkup() {
        let page = ComparisonPage(
            title: "a < b", summary: "1 of 2",
            rows: [
                .init(line: 3, source: "x&y", target: "<", output: [.substituted(target: "<", output: ">"), .extra("\""), .missing("z")]),
                .init(line: 4, source: "p", target: "q", output: [.equal("q")]),
            ])
        let html = page.html
        #expect(html.contains("<title>a &lt; b</title>"))
        #expect(
            html.contains(
                "<tr class=\"differs\"><td>3</td><td>x&amp;y</td><td>&lt;</td><td><span class=\"wrong\" title=\"&lt;\">&gt;</span>"
                    + "<span class=\"extra\">&quot;</span><span class=\"missing\">z</span></td><td>3</td></tr>"))
        #expect(html.contains("<tr><td>4</td><td>p</td><td>q</td><td>q</td><td>0</td></tr>"))
    }

    @Test func speaksBothLanguages() {
        func html(_ language: FigureLanguage) -> String {
            ComparisonPage(
                title: "t", summary: "s", rows: [.init(line: 1, source: "a", target: "b", output: [.equal("b")])], language: language
            ).html
        }
        let english = html(.english), japanese = html(.japanese)
        #expect(english.contains("<html lang=\"en\">") && japanese.contains("<html lang=\"ja\">"))
        #expect(english.contains("<tr><th>line</th><th>source</th><th>target</th><th>output</th><th>differences</th></tr>"))
        #expect(japanese.contains("<tr><th>行</th><th>入力</th><th>正解</th><th>出力</th><th>違い</th></tr>"))
        #expect(
            english.contains(
                "<span class=\"wrong\">wrong</span>, <span class=\"extra\">additional</span>, <span class=\"missing\">missing</span>."))
        #expect(japanese.contains("<span class=\"wrong\">誤り</span>、<span class=\"extra\">余分</span>、<span class=\"missing\">不足</span>。"))
        // The row is the same in both.
        let row = "<tr><td>1</td><td>a</td><td>b</td><td>b</td><td>0</td></tr>"
        #expect(english.contains(row) && japanese.contains(row))
    }
}
