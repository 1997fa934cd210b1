import Analysis
import ArgumentParser
import Figures
import FileFormats
import Foundation
import Reporting
import Tensors
import VectorStore

struct ClusterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "Find clusters of similar sentences, or build a tree.",
        discussion: """
            kotonoha cluster vectors.h5 -o clusters.tsv --threshold q99

            finds communities: sentences whose cosine to a central sentence reaches a
            threshold. Typical cosines differ between models, so the threshold can be a
            quantile of random pairs. --clusters K runs spherical k-means, which assigns
            every sentence to a cluster.

            --tree average, complete, single or ward builds a tree instead, from cosine
            distances or a dissimilarity matrix; -o tree.csv lists its merges, tree.newick
            is for other programs. With --clusters K or --threshold HEIGHT the tree is cut,
            and -o lists or copies rows with their clusters.

            -o clustered.h5 copies the vector file with the clusters as groups, so that
            maps are coloured by cluster.
            """)

    @Argument(help: "The vector file; for a tree also a dissimilarity matrix (.rdm.h5).")
    var vectors: String

    @Option(name: .shortAndLong, help: "The table (.tsv, .csv, .xlsx, .jsonl, .json) or vector file (.h5) to write.")
    var output: String

    @Option(in: .rows, help: "k-means with this many clusters instead of communities.")
    var clusters: Int?

    @Option(
        help:
            "Minimum cosine within a community, or a quantile of random pairs (q99, q99.9); 0.75 by default. For a tree: the height at which to cut."
    )
    var threshold: String?

    @Option(in: .rows, help: "Minimum size of a community; 10 by default.")
    var minSize: Int?

    @Option(in: Bounds(1...10_000), help: "Independent starts of k-means; 4 by default.")
    var starts: Int?

    @Option(help: "Hierarchical clustering by cosine distance: average, complete, single or ward.")
    var tree: Dendrogram.Linkage?

    @Option(help: .hidden)
    var height: Double?

    @Option(help: ArgumentHelp("The tree as a picture: .svg, .pdf or .png.", valueName: "file"))
    var figure: String?

    @Option(in: .seed, help: "Seed of k-means and of the random pairs.")
    var seed: UInt64 = 0

    @Option(in: .threads, help: "Number of threads; results do not depend on it.")
    var threads = Parallel.availableThreads

    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        try OutputName.require(
            output, OutputName.tables + OutputName.vectors + (tree == nil ? [] : ["newick", "nwk"]), "clusters are written")
        if tree == nil { try refuse([("--height", height != nil), ("--figure", figure != nil)], "needs --tree") }
        if tree != nil {
            try refuse([("--min-size", minSize != nil), ("--starts", starts != nil)], "cannot be combined with --tree")
            try refuse(
                [("--height", height != nil && threshold != nil)], "is the old name of a tree's --threshold; leave one of them out")
            if clusters != nil {
                try refuse(
                    [("--threshold", threshold != nil), ("--height", height != nil)],
                    "cuts the tree as --clusters does; leave one of them out")
            }
            if let threshold, Double(threshold)?.isFinite != true {
                throw ValidationError("--threshold of a tree must be a height such as 0.4, not '\(threshold)'")
            }
        } else if clusters != nil {
            try refuse(
                [("--threshold", threshold != nil), ("--min-size", minSize != nil)],
                "is for communities and cannot be combined with --clusters (k-means)")
        } else {
            try refuse([("--starts", starts != nil)], "belongs to --clusters")
        }
        try refuse([("--bom", tableOutput.bom && !output.lowercased().hasSuffix(".csv"))], "is for an output that ends in .csv")
    }

    func run() throws {
        let minSize = minSize ?? 10
        try writing.check(inputs: [vectors], files: [output, figure])
        if let tree { return try runTree(tree) }
        let file = try VectorFile(path: vectors), valid = try file.valid()
        let clustering: Clustering, method: String
        var cosine: Double?, random: RandomPairCosines?
        if let clusters {
            clustering = try SphericalKMeans(clusters: clusters, starts: starts ?? 4, seed: seed, threads: threads).fit(file, valid: valid)
            method = "spherical k-means"
        } else {
            let x = Tensor(try file.readEmbeddings(), shape: [file.count, file.dimension])
            let pairs = try RandomPairCosines(of: x, valid: valid, seed: seed, threads: threads),
                least = try pairs.threshold(named: threshold ?? "0.75")
            (cosine, random) = (least, pairs)
            let found = try CommunityDetection(threshold: Float(least), minimumSize: minSize, threads: threads).fit(x, valid: valid)
            clustering = Clustering(communities: found, of: x)
            method = "communities"
        }
        var record = provenance(seed: seed)
        record.model = file.metadata.modelSource
        record.inputs = [try .init(hashing: vectors)]
        record.settings =
            [("method", .string(method)), ("clusters", .integer(clustering.count)), ("mean_cosine", .number(clustering.meanCosine))]
            + (cosine.map { [("threshold", .number($0)), ("minimum_size", .integer(minSize))] } ?? []) + [("vectors", try file.description)]
        switch URL(fileURLWithPath: output).pathExtension.lowercased() {
        case "h5", "hdf5": try writeVectors(file, clustering, record)
        default: try writeTable(file, clustering, valid, record)
        }
        try say(clustering, method: method, minSize: minSize, cosine: cosine, random: random, valid: valid.count { $0 })
    }

    /// "1", "2", … as people count; empty for rows in no cluster.
    private func name(_ label: Int32) -> String { label < 0 ? "" : String(label + 1) }

    private func writeTable(_ file: VectorFile, _ clustering: Clustering, _ valid: [Bool], _ record: Provenance) throws {
        let carried = CarriedColumns(file), values = try carried.read()
        try ResultTable(["row", "cluster"] + carried.tableColumns(), tableOutput).write(to: output, provenance: record) { append in
            for row in 0..<file.count where valid[row] {
                let label = clustering.labels[row]
                try append([.integer(row), label < 0 ? .missing : .integer(Int(label) + 1)] + values.map { .text($0[row]) })
            }
        }
    }

    /// The same vectors with the clusters as groups; groups that were there stay as a column.
    private func writeVectors(_ file: VectorFile, _ clustering: Clustering, _ record: Provenance) throws {
        var layout = file.layout, metadata = file.metadata
        let former = layout.columns.first { $0.role == .group }
        let keepsGroups = former != nil
        if let former { layout.columnNames.append(former.name) }
        layout.hasGroups = true
        layout.groupName = "cluster"
        metadata.provenance = record.json().serialized()
        let writer = try VectorFileWriter(
            path: output, layout: layout, metadata: metadata, storage: file.storage, rows: file.count, codes: file.codeKinds.first)
        for range in Parallel.chunks(file.count, size: 4096) {
            var block = try file.block(rows: range)
            if keepsGroups { block.columns.append(block.groups) }
            block.groups = range.map { name(clustering.labels[$0]) }
            try writer.append(block)
        }
        try writer.finish()
    }

    private func say(_ clustering: Clustering, method: String, minSize: Int, cosine: Double?, random: RandomPairCosines?, valid: Int) throws
    {
        let inside = clustering.sizes.reduce(0, +)
        if report.json {
            return try Console.print(
                JSON.object(
                    [
                        ("method", .string(method)), ("clusters", .integer(clustering.count)), ("rows_in_clusters", .integer(inside)),
                        ("rows", .integer(valid)),
                        ("mean_cosine", .number(clustering.meanCosine)), ("sizes", .array(clustering.sizes.map { .integer($0) })),
                    ] + (cosine.map { [("threshold", .number($0))] } ?? [])
                ).serialized(.pretty))
        }
        guard !report.quiet else { return }
        if let random {
            Console.say(
                "random pairs: mean cosine \(Console.fixed(random.mean, 3)); 99 % below \(Console.fixed(random.quantile(0.99), 3)), "
                    + "99.9 % below \(Console.fixed(random.quantile(0.999), 3))")
        }
        Console.say(
            "\(output): \(method == "communities" ? Console.counted(clustering.count, "community", "communities") : Console.counted(clustering.count, "cluster"))"
                + (cosine.map { " at cosine \(Console.fixed($0, 3)) or more, of at least \(minSize)" } ?? "")
                + ", \(Console.grouped(inside)) of \(Console.counted(valid, "sentence")); sizes \(clustering.sizes.prefix(8).map(String.init).joined(separator: ", "))"
                + (clustering.count > 8 ? ", …" : "") + "; mean cosine to the centre \(Console.fixed(clustering.meanCosine, 3))")
    }

    // MARK: Trees

    private func runTree(_ linkage: Dendrogram.Linkage) throws {
        let height = height ?? threshold.flatMap { Double($0) }
        if ["h5", "hdf5"].contains(URL(fileURLWithPath: vectors).pathExtension.lowercased()), try RDM.isRDM(path: vectors) {
            let rdm = try RDM(path: vectors)
            return try finishTree(try Dendrogram(rdm, linkage: linkage), linkage, height, nil, Array(0..<rdm.count), metric: rdm.metric)
        }
        let file = try VectorFile(path: vectors), valid = try file.valid(), rows = valid.indices.filter { valid[$0] }
        guard rows.count >= 2 else {
            throw DataError(
                .badData, "a tree needs at least two rows with vectors; there \(rows.count == 1 ? "is 1" : "are none")", file: vectors)
        }
        let bytes = Dendrogram.memory(conditions: rows.count) * 3
        guard rows.count <= 40_000 else {
            throw DataError(
                .usage,
                "a tree of \(rows.count) rows needs \(bytes >> 30) GiB; select at most 40,000 with vectors "
                    + "select", file: vectors)
        }
        if !report.quiet, rows.count > 5000 {
            Console.say("a tree of \(Console.grouped(rows.count)) rows needs about \(Console.fixed(Double(bytes) / 1e9, 1)) GB of memory")
        }
        let d = file.dimension, x = try file.vectors()
        var kept = Tensor<Double>(uninitialized: [rows.count, d])
        kept.withUnsafeMutableElements { to in
            for (place, row) in rows.enumerated() { for k in 0..<d { to[place * d + k] = Double(x[row, k]) } }
        }
        try finishTree(
            try Dendrogram(RDM(kept, labels: DissimilarityOptions.labels(file, rows)), linkage: linkage), linkage, height, file, rows,
            metric: "cosine")
    }

    private func finishTree(
        _ dendrogram: Dendrogram, _ linkage: Dendrogram.Linkage, _ height: Double?, _ file: VectorFile?, _ rows: [Int], metric: String
    ) throws {
        let cut = try clusters.map { try dendrogram.clusters(count: $0) } ?? height.map { dendrogram.clusters(height: $0) }
        var record = provenance()
        record.inputs = [try .init(hashing: vectors)]
        record.settings = [
            ("method", .string("hierarchical clustering")), ("linkage", .string(linkage.rawValue)), ("metric", .string(metric)),
            ("rows", .integer(rows.count)),
            ("clusters", cut.map { .integer(Set($0).count) } ?? .null), ("height", height.map(JSON.number) ?? .null),
        ]
        if let file { record.settings.append(("vectors", try file.description)) }
        try writeTree(dendrogram, file, rows, cut, record)
        if let figure {
            var options = DendrogramFigure.Options()
            options.page.language = SessionLanguage.files.figures
            options.xTitle = options.page.language.says(
                "\(metric.isEmpty ? "" : metric + " ")distance (\(linkage.rawValue))",
                "距離（\(metric.isEmpty ? "" : metric + "、")\(linkage.rawValue)）")
            options.cut = height
            try DendrogramFigure(
                names: dendrogram.labels, merges: dendrogram.merges.map { ($0.first, $0.second, $0.height) }, clusters: cut,
                options: options
            ).write(to: URL(fileURLWithPath: figure))
            try record.write(beside: figure)
        }
        if report.json { return try Console.print(JSON.object(record.settings).serialized(.pretty)) }
        if !report.quiet {
            Console.say(
                "\(output): \(linkage.rawValue)-linkage tree of \(Console.grouped(rows.count)) rows, height \(Console.fixed(dendrogram.merges.last?.height ?? 0, 4))"
                    + (cut.map { ", cut into \(Set($0).count) clusters" } ?? ""))
        }
    }

    private func writeTree(_ tree: Dendrogram, _ file: VectorFile?, _ rows: [Int], _ cut: [Int]?, _ record: Provenance) throws {
        switch URL(fileURLWithPath: output).pathExtension.lowercased() {
        case "newick", "nwk":
            try AtomicFile.write(to: output) { try $0.write(tree.newick + "\n") }
            try record.write(beside: output)
        case let kind:
            guard let cut else {
                guard kind != "h5" else {
                    throw DataError(.usage, "a vector file cannot store a tree; cut it with --clusters or --height", file: output)
                }
                return try ResultTable(["merge", "first", "second", TableColumn("height", decimals: 12), "size"], tableOutput).write(
                    to: output, provenance: record
                ) { append in
                    for (k, merge) in tree.merges.enumerated() {
                        try append([
                            .integer(rows.count + k), .integer(merge.first), .integer(merge.second), .number(merge.height),
                            .integer(merge.size),
                        ])
                    }
                }
            }
            guard let file else {
                guard !OutputName.vectors.contains(kind) else {
                    throw DataError(.usage, "a matrix has no vectors to copy; write its clusters to a table", file: output)
                }
                return try ResultTable(["row", "label", "cluster"], tableOutput).write(to: output, provenance: record) { append in
                    for (row, cluster) in cut.enumerated() { try append([.integer(row), .text(tree.labels[row]), .integer(cluster + 1)]) }
                }
            }
            let vectors = try file.vectors()
            var members = [[Int]](repeating: [], count: (cut.max() ?? -1) + 1)
            for (place, row) in rows.enumerated() { members[cut[place]].append(row) }
            let clustering = Clustering(communities: members, of: vectors)
            if kind == "h5" || kind == "hdf5" {
                try writeVectors(file, clustering, record)
            } else {
                try writeTable(file, clustering, try file.valid(), record)
            }
        }
    }
}
