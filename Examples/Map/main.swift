// Embeds the sentences of a table and maps them twice, by principal components and by t-SNE:
//
//     swift run -c release ExampleMap MODEL TABLE TEXT-COLUMN GROUP-COLUMN map.tsv map.svg
//
// The table holds the coordinates of both maps; the figure shows the t-SNE map, coloured by group.
import Foundation
import Kotonoha

do {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard arguments.count == 6 else {
        throw DataError(.usage, "usage: ExampleMap MODEL TABLE TEXT-COLUMN GROUP-COLUMN map.tsv map.svg")
    }
    // TSV, CSV, a spreadsheet or JSON lines; the format and the text's encoding are detected.
    let table = try Table(path: arguments[1])
    let texts = try table.column(arguments[2]).texts, groups = try table.column(arguments[3]).texts
    let vectors = try SentenceEncoder(model: arguments[0]).encode(texts)

    let pca = try PCA(components: .count(2)).fit(vectors)
    let components = try pca.transform(vectors)  // (sentences, 2)
    let share = pca.explainedVarianceRatio.map { String(format: "%.1f %%", 100 * $0) }.joined(separator: " and ")
    print("\(texts.count) sentences; two components explain \(share) of the variance")

    var tsne = TSNE()
    tsne.seed = 1  // a seed fixes the map, whatever the number of threads
    let map = try tsne.fit(vectors)
    let points = map.coordinates  // (sentences, 2)
    print(String(format: "t-SNE: KL divergence %.4f after %d iterations", map.kullbackLeiblerDivergence, map.iterations))

    let header = ["pc1", "pc2", "tsne1", "tsne2"].map { TableColumn($0, decimals: 4) } + [.carried(arguments[3]), .carried(arguments[2])]
    let output = try TableWriter(path: arguments[4], columns: header)
    for row in texts.indices {
        let coordinates = [components[row, 0], components[row, 1], points[row, 0], points[row, 1]]
        try output.write(coordinates.map { .number(Double($0)) } + [.text(groups[row]), .text(texts[row])])
    }
    try output.finish()

    var options = ScatterMap.Options()
    options.groupTitle = arguments[3]
    let figure = try ScatterMap(
        points: texts.indices.map { (Double(points[$0, 0]), Double(points[$0, 1])) }, groups: groups, options: options)
    try figure.write(to: URL(fileURLWithPath: arguments[5]))  // .svg, .pdf or .png
    print("\(arguments[4]), \(arguments[5])")
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit((error as? DataError)?.kind.rawValue ?? 1)
}
