import Testing
import Figures

@Suite struct ComparisonPageTests {
    @Test func marksWhatDiffersAndEscapesMarkup() {
        let page = ComparisonPage(title: "a < b", summary: "1 of 2", rows: [
            .init(line: 3, source: "x&y", target: "<", output: [.substituted(target: "<", output: ">"), .extra("\""), .missing("z")]),
            .init(line: 4, source: "p", target: "q", output: [.equal("q")]),
        ])
        let html = page.html
        #expect(html.contains("<title>a &lt; b</title>"))
        #expect(html.contains("<tr class=\"differs\"><td>3</td><td>x&amp;y</td><td>&lt;</td><td><span class=\"wrong\" title=\"&lt;\">&gt;</span>"
            + "<span class=\"extra\">&quot;</span><span class=\"missing\">z</span></td><td>3</td></tr>"))
        #expect(html.contains("<tr><td>4</td><td>p</td><td>q</td><td>q</td><td>0</td></tr>"))
    }
}
