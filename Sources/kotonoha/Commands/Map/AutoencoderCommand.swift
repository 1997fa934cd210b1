import Analysis
import ArgumentParser
import Figures
import FileFormats
import Foundation
import Tensors
import Training
import VectorStore

struct AutoencoderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "autoencoder", abstract: "Compress vectors into short codes: nonlinear principal components or sparse features.",
        discussion: """
            kotonoha autoencoder vectors.h5 -o codes.h5 --code 2 --hidden 64 --figure map.svg
            kotonoha autoencoder vectors.h5 -o features.h5 --code 256 --active 8 --features features.tsv

            A network learns to reconstruct each vector from its code. codes.h5 is a vector
            file, so tsne, umap and cluster can read it. The reconstruction error is
            reported next to that of as many principal components, on a held-out tenth of
            the rows. Without --hidden the network is linear, and its code spans the
            subspace of the components. --active keeps the largest units of each row as
            sparse features; --features lists the sentences that activate each.
            """)

    @Argument(help: "The vector file.")
    var vectors: String

    @Option(name: .shortAndLong, help: "The vector file of codes to write.")
    var output: String

    @Option(in: .dimension, help: "Units of the code.")
    var code = 2

    @Option(in: .dimension, help: "Units of a hidden layer on either side of the code; linear by default.")
    var hidden: Int?

    @Flag(help: "Tie the decoder's matrices to the encoder's, transposed.")
    var tied = false

    @Option(in: Bounds(0...1e6), help: "Strength of an L1 penalty on the code; its units are then rectified.")
    var sparse = 0.0

    @Option(in: .dimension, help: "Number of units kept in each row's code, the largest; the others are 0.")
    var active: Int?

    @Option(in: Bounds(0..<1), help: "Probability of hiding each input component, which the network must reconstruct.")
    var denoise = 0.0

    @Option(
        in: Bounds(1...1_000_000),
        help: "Iterations of L-BFGS (by default 1000), or with --sparse, --active or --denoise epochs (by default 100).")
    var iterations: Int?

    @Option(in: .learningRate, help: "Learning rate of Adam, with --sparse, --active or --denoise.")
    var learningRate = 1e-3

    @Option(in: Bounds(0...0.5), help: "Proportion of rows held out for computing errors.")
    var holdOut = 0.1

    @Option(help: ArgumentHelp("A table of the sentences that activate each unit most (.tsv, .csv, .xlsx, .jsonl).", valueName: "file"))
    var features: String?

    @Option(in: .results, help: "Sentences listed for each unit.")
    var top = 10

    @Option(in: .seed, help: "Seed of weights, held-out rows and batches.")
    var seed: UInt64 = 0

    @Option(in: .threads, help: "Number of threads; results do not depend on it.")
    var threads = Parallel.availableThreads

    @OptionGroup(title: "Picture of the first two units") var figures: FigureOptions
    @OptionGroup(title: "Table") var table: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        try OutputName.requireVectors(output, "codes are written")
        try OutputName.requireTable(features)
        if let active, active > code { throw ValidationError("--active \(active) exceeds the \(code) units of the code (--code)") }
        if figures.isWanted && code < 2 { throw ValidationError("a picture needs two units; --code asks for \(code)") }
    }

    func run() throws {
        try writing.check(inputs: [vectors], files: [output, features] + figures.files)
        let file = try VectorFile(path: vectors), valid = try file.valid(), d = file.dimension
        let kept = valid.indices.filter { valid[$0] }, all = Tensor<Float>(try file.readEmbeddings(), shape: [file.count, d])
        func rows(_ chosen: [Int]) -> Tensor<Float> {
            var part = Tensor<Float>(uninitialized: [chosen.count, d])
            Float.gatherRows(all.view, chosen.map(Int32.init), into: &part.target)
            return part
        }
        var random = RandomSource(seed: seed).split(0xAE)
        let order = random.permutation(kept.count).map { kept[$0] },
            out = min(Int((holdOut * Double(kept.count)).rounded()), max(0, kept.count - 2))
        let test = order.prefix(out).sorted(), train = order.dropFirst(out).sorted()

        var settings = AutoencoderSettings()
        (settings.code, settings.hidden, settings.isTied, settings.sparsity, settings.active) = (code, hidden, tied, sparse, active)
        (settings.corruption, settings.learningRate, settings.seed, settings.threads) = (denoise, learningRate, seed, threads)
        settings.iterations = iterations ?? (settings.isStochastic ? 100 : 1000)
        let progress = ProgressLine(unit: "%", isQuiet: report.quiet), learned = rows(train)
        let model = try Autoencoder(learned, settings: settings) { progress.update(done: Int(100 * $0), fraction: $0) }
        progress.finish()
        if model.isConverged == false && !report.quiet {
            Console.say("note: stopped after \(model.iterations) iterations without convergence; --iterations allows more")
        }

        // The same rows, the same number of numbers a row.
        let components = min(code, d, train.count - 1)
        let pca = components > 0 ? try PCA(components: .count(components), seed: seed, threads: threads).fit(learned) : nil
        let own = try model.reconstructionError(learned), principal = try pca?.reconstructionError(learned, threads: threads)
        let held = test.isEmpty ? nil : try model.reconstructionError(rows(test)),
            heldPrincipal = try test.isEmpty ? nil : pca?.reconstructionError(rows(test), threads: threads)

        var codes = [Float](repeating: 0, count: file.count * code)
        let found = try model.codes(rows(kept))
        for (place, row) in kept.enumerated() { for k in 0..<code { codes[row * code + k] = Float(found[place, k]) } }
        var record = provenance(seed: seed)
        record.model = file.metadata.modelSource
        record.inputs = [try .init(hashing: vectors)]
        func error(_ value: (meanSquared: Double, share: Double)?) -> JSON {
            value.map { .object([("mean_squared", .number($0.meanSquared)), ("share", .number($0.share))]) } ?? .null
        }
        record.settings = [
            ("method", .string("autoencoder")), ("code", .integer(code)), ("hidden", hidden.map(JSON.integer) ?? .null),
            ("tied", .bool(tied)), ("sparsity", .number(sparse)),
            ("active", active.map(JSON.integer) ?? .null), ("corruption", .number(denoise)),
            ("solver", .string(settings.isStochastic ? "adam" : "l-bfgs")),
            ("iterations", .integer(model.iterations)), ("rows_learned", .integer(train.count)), ("rows_held_out", .integer(test.count)),
        ]
        record.settings += [
            ("error", error(own)), ("error_pca", error(principal)), ("error_held_out", error(held)),
            ("error_pca_held_out", error(heldPrincipal)), ("vectors", try file.description),
        ]
        try write(codes, file, record)
        let activity = (0..<code).map { k in Double(kept.count { codes[$0 * code + k] != 0 }) / Double(max(1, kept.count)) }
        if let features { try writeFeatures(codes, file, kept, activity, to: features, record) }
        if figures.isWanted {
            var map = try MapRows(file, name: vectors)
            map.points = map.rows.map { (Double(codes[$0 * code]), Double(codes[$0 * code + 1])) }
            let japanese = figures.words == .japanese
            try figures.draw(
                map, caption: japanese ? "オートエンコーダー、n = \(kept.count)" : "autoencoder, n = \(kept.count)",
                axes: .measured(x: japanese ? "符号1" : "code 1", y: japanese ? "符号2" : "code 2"), provenance: record)
        }
        if report.json {
            return try Console.print(
                JSON.object(record.settings + [("silent_units", .integer(activity.count { $0 == 0 }))]).serialized(.pretty))
        }
        guard !report.quiet else { return }
        func percent(_ value: (meanSquared: Double, share: Double)?) -> String {
            value.map { "\(Console.fixed(100 * $0.share, 1)) %" } ?? "–"
        }
        var line =
            "\(output): \(Console.counted(kept.count, "row")) × \(code); variance lost by the code \(percent(own)), by \(components) principal components \(percent(principal))"
        if held != nil {
            line += "; on \(Console.counted(test.count, "row")) held out from both \(percent(held)) and \(percent(heldPrincipal))"
        }
        Console.say(line)
        if settings.isStochastic, activity.contains(0) {
            Console.say("note: \(Console.counted(activity.count { $0 == 0 }, "unit")) of the code never became active")
        }
    }

    private func write(_ codes: [Float], _ file: VectorFile, _ record: Provenance) throws {
        var layout = file.layout, metadata = file.metadata
        layout.dimension = code
        metadata.isNormalized = false
        metadata.createdBy = "kotonoha \(KotonohaProgram.version)"
        metadata.provenance = record.json().serialized()
        // Codes are not to be compared with the model's vectors.
        metadata.modelSHA256 = SHA256.hex(of: metadata.modelSHA256 + record.json().serialized())
        let writer = try VectorFileWriter(path: output, layout: layout, metadata: metadata, storage: .float32)
        for range in Parallel.chunks(file.count, size: 4096) {
            var block = try file.block(rows: range)
            block.embeddings = Array(codes[range.lowerBound * code..<range.upperBound * code])
            try writer.append(block)
        }
        try writer.finish()
    }

    private func writeFeatures(
        _ codes: [Float], _ file: VectorFile, _ kept: [Int], _ activity: [Double], to path: String, _ record: Provenance
    ) throws {
        let units = (0..<code).map { k in
            Array(kept.sorted { (-codes[$0 * code + k], $0) < (-codes[$1 * code + k], $1) }.prefix(top).filter { codes[$0 * code + k] > 0 })
        }
        let carried = CarriedColumns(file), cells = try carried.lookUp(Set(units.flatMap(\.self)))
        let columns: [TableColumn] = [
            "unit", TableColumn("share_active", decimals: 4), "place", TableColumn("activation", decimals: 4), "row",
        ]
        try ResultTable(columns + carried.tableColumns(), table).write(to: path, provenance: record) { append in
            for (k, rows) in units.enumerated() {
                for (place, row) in rows.enumerated() {
                    try append(
                        [.integer(k + 1), .number(activity[k]), .integer(place + 1), .single(codes[row * code + k]), .integer(row)]
                            + (cells[row] ?? []).cells)
                }
            }
        }
    }
}
