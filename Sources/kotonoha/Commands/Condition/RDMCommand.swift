import Analysis
import ArgumentParser
import Figures
import FileFormats
import Foundation
import Representations
import Tensors
import VectorStore

struct RDMCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rdm", abstract: "How dissimilar rows or conditions are: a dissimilarity matrix, or one per time.",
        discussion: """
            kotonoha rdm vectors.h5 -o model.rdm.h5 --by condition --figure rdm.pdf
            kotonoha rdm eeg.npy -o s1.rdm.h5 --trials trials.tsv --metric crossnobis --times -0.1:0.01

            INPUT is a vector file, a file of layers (layers.h5:4), a table of features
            (--label-column), a finished matrix (.rdm.h5, .npy, a square table, or a table
            of pairs), or an array over time: (times, conditions, channels), or (times,
            trials, channels) with --trials, from .npy, HDF5 (FILE.h5:NAME) or MATLAB's
            .mat (FILE.mat:NAME). An array over time gives one matrix per time, which rsa
            compares with models.
            """)

    @OptionGroup var arguments: MatrixArguments
    @OptionGroup(title: "Arrays over time") var trials: TrialOptions

    func validate() throws {
        if arguments.matrix.metric.needsNoise, trials.trials == nil {
            throw ValidationError("--metric \(arguments.matrix.metric.rawValue) needs several trials of each condition: --trials TABLE")
        }
    }

    func run() throws {
        if let window = try trials.windowRange(), try trials.isSeries(arguments.input) { return try arguments.run(averaging: window) }
        guard try trials.isArray(arguments.input) else { return try arguments.run(asSimilarities: false) }
        try arguments.run(trials)
    }
}

struct MatrixCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "matrix", abstract: "How similar rows or conditions are: a similarity matrix.",
        discussion: """
            kotonoha matrix vectors.h5 -o matrix.xlsx --by condition --figure heat.pdf

            With --metric euclidean, distances are written, as by rdm, because no
            similarity is defined.
            """)

    @OptionGroup var arguments: MatrixArguments
    func run() throws { try arguments.run(asSimilarities: true) }
}

struct MatrixArguments: ParsableArguments {
    enum Order: String, CaseIterable, ExpressibleByArgument { case input, group, tree }

    @Argument(help: "The vector file, table or matrix.")
    var input: String

    @Option(name: .shortAndLong, help: ".xlsx, .csv or .tsv with labels; .npy; or .rdm.h5, always dissimilarities.")
    var output: String

    @OptionGroup(title: "Matrix") var matrix: DissimilarityOptions

    @Option(help: "Order of rows: as in the input, by group, or as the leaves of an average-linkage tree.")
    var order = Order.input

    @OptionGroup(title: "Picture") var picture: PictureOptions
    @OptionGroup(title: "Table") var table: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws { try OutputName.require(output, OutputName.tables + ["npy", "h5"], "a matrix is written") }

    func run(asSimilarities: Bool) throws {
        try writing.check(inputs: [DissimilarityOptions.path(input)], files: [output] + picture.figure)
        try finish(try matrix.matrix(input), asSimilarities: asSimilarities)
    }

    private func finish(_ given: RDM, asSimilarities: Bool, settings: [(String, JSON)] = []) throws {
        let (rdm, borders, tree) = try ordered(given)
        let isSimilarity = asSimilarities && (DistanceMetric(rawValue: rdm.metric)?.hasSimilarity ?? false)
        var record = provenance()
        record.inputs = [try .init(hashing: DissimilarityOptions.path(input))]
        record.settings =
            [
                ("method", .string("dissimilarity matrix")), ("metric", .string(rdm.metric)), ("conditions", .integer(rdm.count)),
                ("by", matrix.by.map(JSON.string) ?? .null), ("order", .string(order.rawValue)), ("similarities", .bool(isSimilarity)),
            ] + settings
        var values = rdm.matrix
        if isSimilarity { for i in 0..<values.count { values[i] = 1 - values[i] } }
        try write(rdm, values, record)
        for path in picture.figure { try draw(rdm, values, isSimilarity, borders, tree, to: path, record) }
        try say(rdm, isSimilarity)
    }

    /// The matrix in the order that was asked for, borders between groups, and the tree of its new rows.
    private func ordered(_ rdm: RDM) throws -> (RDM, [Int], Dendrogram?) {
        switch order {
        case .input: return (rdm, [], nil)
        case .tree:
            let sorted = try rdm.selecting(try Dendrogram(rdm).leaves)
            return (sorted, [], try Dendrogram(sorted))
        case .group:
            guard matrix.by == nil, ["h5", "hdf5"].contains(URL(fileURLWithPath: input).pathExtension), try !RDM.isRDM(path: input) else {
                throw DataError(.usage, "--order group needs the rows of a vector file with groups")
            }
            let file = try VectorFile(path: input), valid = try file.valid()
            guard let groups = try file.groups() else {
                throw DataError(.usage, "--order group needs groups, and this file has none", file: input)
            }
            let factor = Factor(name: "group", values: valid.indices.filter { valid[$0] }.map { groups[$0] })
            let places = factor.codes.indices.sorted { (factor.codes[$0] ?? .max, $0) < (factor.codes[$1] ?? .max, $1) }
            return (
                try rdm.selecting(places), places.indices.filter { $0 > 0 && factor.codes[places[$0]] != factor.codes[places[$0 - 1]] }, nil
            )
        }
    }

    /// The mean over a window of matrices over time.
    func run(averaging window: ClosedRange<Double>) throws {
        try writing.check(inputs: [input], files: [output] + picture.figure)
        try finish(
            try RDMSeries(path: input).mean(window), asSimilarities: false,
            settings: [("window", .array([.number(window.lowerBound), .number(window.upperBound)]))])
    }

    /// One matrix per time of an array.
    func run(_ trials: TrialOptions) throws {
        let (path, _) = ArrayFile.split(input)
        try writing.check(inputs: [path, trials.trials], files: [output] + picture.figure)
        let (series, settings) = try trials.series(input, matrix.metric, label: report.quiet ? nil : { Console.say($0) })
        if let window = try trials.windowRange() { return try finish(try series.mean(window), asSimilarities: false, settings: settings) }
        guard series.count > 1 else { return try finish(try series.rdm(0), asSimilarities: false, settings: settings) }
        guard output.lowercased().hasSuffix(".rdm.h5") else {
            throw DataError(
                .usage, "\(series.count) matrices over time are written as NAME.rdm.h5; --window FROM:TO takes their mean", file: output)
        }
        guard picture.figure.isEmpty, order == .input else {
            throw DataError(.usage, "a picture or an order is for one matrix; --window FROM:TO takes the mean of \(series.count)")
        }
        var record = provenance()
        record.inputs = try [path, trials.trials].compactMap { $0 }.map { try .init(hashing: $0) }
        record.settings =
            [
                ("method", .string("dissimilarity matrix")), ("metric", .string(series.metric)),
                ("conditions", .integer(series.labels.count)), ("times", .integer(series.count)),
                ("similarities", .bool(false)),
            ] + settings
        try series.write(
            to: output,
            attributes: [
                ("created_by", .string("kotonoha \(KotonohaProgram.version)")), ("provenance", .string(record.json().serialized())),
            ])
        if report.json { return try Console.print(JSON.object(record.settings).serialized(.pretty)) }
        if !report.quiet {
            Console.say(
                "\(output): \(series.count) matrices of \(series.labels.count) conditions, from \(series.times[0]) to \(series.times[series.count - 1]) (\(series.metric))"
            )
        }
    }

    private func write(_ rdm: RDM, _ values: Tensor<Double>, _ record: Provenance) throws {
        let n = rdm.count
        switch URL(fileURLWithPath: output).pathExtension.lowercased() {
        case "h5", "hdf5":
            guard output.lowercased().hasSuffix(".rdm.h5") else {
                throw DataError(.usage, "a dissimilarity matrix is written as NAME.rdm.h5", file: output)
            }
            try rdm.write(
                to: output,
                attributes: [
                    ("created_by", .string("kotonoha \(KotonohaProgram.version)")), ("provenance", .string(record.json().serialized())),
                ])
        case "npy":
            let writer = try NPYWriter(path: output, shape: [n, n])
            try writer.append(values.elements.map(Float.init))
            try writer.finish()
            try record.write(beside: output)
        default:
            try ResultTable(["label"] + rdm.labels.map { TableColumn($0, decimals: 6) }, table).write(to: output, provenance: record) {
                append in
                for i in 0..<n { try append([.text(rdm.labels[i])] + (0..<n).map { .number(values[i, $0]) }) }
            }
        }
    }

    private func draw(
        _ rdm: RDM, _ values: Tensor<Double>, _ isSimilarity: Bool, _ borders: [Int], _ tree: Dendrogram?, to path: String,
        _ record: Provenance
    ) throws {
        var options = Heatmap.Options()
        options.page.width = try Length(parsing: picture.width)
        options.page.language = picture.isJapanese ? .japanese : .english
        options.title = picture.title
        options.borders = borders
        options.tree = tree.map { $0.merges.map { ($0.first, $0.second, $0.height) } } ?? []
        let metric = rdm.metric.isEmpty ? (picture.isJapanese ? "非類似度" : "dissimilarity") : rdm.metric
        options.valueTitle =
            isSimilarity
            ? (rdm.metric == "cosine" ? (picture.isJapanese ? "コサイン類似度" : "cosine") : (picture.isJapanese ? "相関係数" : "correlation"))
            : (picture.isJapanese ? "距離（\(metric)）" : "distance (\(metric))")
        options.digits = rdm.count <= 12 ? 2 : nil
        let n = rdm.count
        let map = try Heatmap(
            (0..<n).map { i in (0..<n).map { values[i, $0] } }, rowLabels: rdm.labels, columnLabels: n <= 60 ? rdm.labels : [],
            options: options)
        try map.write(to: URL(fileURLWithPath: path))
        try record.write(beside: path)
    }

    private func say(_ rdm: RDM, _ isSimilarity: Bool) throws {
        let known = rdm.values.filter { !$0.isNaN }.map { isSimilarity ? 1 - $0 : $0 }
        let mean = known.reduce(0, +) / Double(max(1, known.count))
        if report.json {
            return try Console.print(
                JSON.object([
                    ("conditions", .integer(rdm.count)), ("metric", .string(rdm.metric)), ("similarities", .bool(isSimilarity)),
                    ("mean", .number(mean)), ("missing", .integer(rdm.values.count - known.count)),
                ]).serialized(.pretty))
        }
        guard !report.quiet else { return }
        Console.say(
            "\(output): \(rdm.count) conditions, mean \(isSimilarity ? "similarity" : "dissimilarity") \(Console.fixed(mean, 4)) (\(rdm.metric.isEmpty ? "metric unknown" : rdm.metric))"
        )
    }
}
