import Figures
import FileFormats
import Foundation
import Representations
import Statistics
import VectorStore

/// Scores of an encoding model as a table or an HDF5 file.
struct EncodingScores {
    private let scores: EncodingModel.Scores
    private let names: [String]

    init(_ scores: EncodingModel.Scores, names: [String]) { (self.scores, self.names) = (scores, names) }

    /// The middle one of the penalties that folds chose; nil if a voxel was used in none.
    private func penalty(_ voxel: Int) -> Double? {
        let chosen = scores.penalties[voxel].sorted()
        return chosen.isEmpty ? nil : chosen[chosen.count / 2]
    }

    func write(to output: String, _ options: TableOutputOptions, _ record: Provenance) throws {
        if OutputName.isVectors(output) { return try writeHDF5(to: output, record) }
        let bands = scores.splitRSquared.first?.count ?? 0
        func finite(_ value: Double?) -> Cell { Cell(value.flatMap { $0.isNaN ? nil : $0 }) }
        let columns: [TableColumn] =
            [
                "voxel", TableColumn("r", decimals: 4), TableColumn("r_squared", decimals: 4), TableColumn("alpha"),
                TableColumn("p", decimals: 5), TableColumn("p_fdr", decimals: 5),
                TableColumn("ceiling", decimals: 4), "folds",
            ]
            + (0..<bands).flatMap { [TableColumn("r_squared_\($0 + 1)", decimals: 4), TableColumn("weight_\($0 + 1)", decimals: 4)] }
        try ResultTable(columns, options).write(to: output, provenance: record) { append in
            for k in scores.r.indices {
                try append(
                    [
                        .text(names[k]), finite(scores.r[k]), finite(scores.rSquared[k]), Cell(penalty(k)), finite(scores.p?[k]),
                        finite(scores.adjustedP?[k]), finite(scores.ceiling?[k]),
                        .integer(scores.penalties[k].count),
                    ] + (0..<bands).flatMap { [finite(scores.splitRSquared[k][$0]), finite(scores.weights[k][$0])] })
            }
        }
    }

    private func writeHDF5(to output: String, _ record: Provenance) throws {
        let v = scores.r.count
        try HDF5Container.create(path: output) { file in
            try file.set("format", .string("kotonoha/scores"))
            try file.set("format_version", .int(1))
            try file.set("created_by", .string("kotonoha \(KotonohaProgram.version)"))
            try file.set("provenance", .string(record.json().serialized()))
            try file.write("voxels", strings: names)
            let columns: [(String, [Double]?)] = [
                ("r", scores.r), ("r_squared", scores.rSquared), ("alpha", (0..<v).map { penalty($0) ?? .nan }), ("p", scores.p),
                ("p_fdr", scores.adjustedP), ("ceiling", scores.ceiling),
            ]
            for case let (name, values?) in columns { try file.write(name, shape: [v], values: values) }
            if let bands = scores.splitRSquared.first?.count {
                try file.write("r_squared_by_band", shape: [v, bands], values: scores.splitRSquared.flatMap { $0 })
                try file.write("band_weights", shape: [v, bands], values: scores.weights.flatMap { $0 })
            }
        }
    }
}

/// Pictures of encoding models.
struct EncodingFigure {
    private let picture: PictureOptions

    init(_ picture: PictureOptions) { self.picture = picture }

    /// Voxels in the order of their r, with their ceilings and the r from which they are significant.
    func draw(_ scores: EncodingModel.Scores, to path: String, _ record: Provenance) throws {
        let order = scores.r.indices.filter { !scores.r[$0].isNaN }.sorted { (scores.r[$1], $0) < (scores.r[$0], $1) },
            x = order.indices.map { Double($0 + 1) }
        var options = LineChart.Options()
        options.page.width = try Length(parsing: picture.width)
        options.page.language = picture.isJapanese ? .japanese : .english
        options.title = picture.title
        options.xTitle = picture.isJapanese ? "ボクセル（rの順）" : "voxels, ordered by r"
        options.yTitle = picture.isJapanese ? "予測と測定の相関 r" : "r of predicted and measured"
        if let adjusted = scores.adjustedP, let least = order.filter({ adjusted[$0] <= 0.05 }).map({ scores.r[$0] }).min() {
            options.horizontalMarks = [(least, "FDR 5 %")]
        } else {
            options.horizontalMarks = [(0, "")]
        }
        var series = [LineChart.Series("r", x: x, y: order.map { scores.r[$0] })]
        if let ceiling = scores.ceiling {
            series.insert(
                LineChart.Series(picture.isJapanese ? "ノイズシーリング" : "noise ceiling", x: x, y: order.map { ceiling[$0] }, hasLine: false),
                at: 0)
        }
        try LineChart(series, options: options).write(to: URL(fileURLWithPath: path))
        try record.write(beside: path)
    }

    /// The accuracy beside what permutations reached.
    func draw(accuracy: Estimate, null: [Double], to path: String, _ record: Provenance) throws {
        var options = CategoryPlot.Options()
        options.page.width = try Length(parsing: picture.width)
        options.page.language = picture.isJapanese ? .japanese : .english
        options.title = picture.title
        options.yTitle = picture.isJapanese ? "2対2正答率" : "2-versus-2 accuracy"
        options.reference = 0.5
        let sorted = null.sorted(), range = null.count >= 20 ? Bootstrap.percentileInterval(ofSorted: sorted) : nil
        let permuted =
            null.isEmpty
            ? [] : [CategoryPlot.Category(picture.isJapanese ? "並べ替え" : "permuted items", points: null, mean: mean(null), interval: range)]
        try CategoryPlot([.init(picture.isJapanese ? "モデル" : "model", mean: accuracy.value)] + permuted, options: options).write(
            to: URL(fileURLWithPath: path))
        try record.write(beside: path)
    }
}
