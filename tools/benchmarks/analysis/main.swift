import Analysis
import Foundation
import Representations
import Tensors

// analysis-bench TASK FILE ROWS COLUMNS [OPTION=VALUE …]: times one analysis of raw float32 rows and prints a line of JSON.
// `tools/bench maps` and `tools/bench search` drive it beside the peers.

/// The file as a tensor; memory-mapped.
func matrix(_ path: String, rows: Int, columns: Int) throws -> Tensor<Float> {
    let data = try NSData(contentsOfFile: path, options: .alwaysMapped)
    guard data.length >= rows * columns * 4 else { throw CocoaError(.fileReadCorruptFile) }
    return Tensor(viewing: data.bytes.assumingMemoryBound(to: Float.self), shape: [rows, columns], owner: data)
}

func seconds(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try body()
    let elapsed = ContinuousClock.now - start
    return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
}

let arguments = CommandLine.arguments
guard arguments.count >= 5, let rows = Int(arguments[3]), let columns = Int(arguments[4]) else {
    FileHandle.standardError.write(Data("usage: analysis-bench TASK FILE ROWS COLUMNS [OPTION=VALUE …]\n".utf8))
    exit(64)
}
var options: [String: String] = [:]
for argument in arguments.dropFirst(5) {
    let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
    options[parts[0]] = parts.count > 1 ? parts[1] : "1"
}
@MainActor func integer(_ name: String, _ standard: Int) -> Int { options[name].flatMap(Int.init) ?? standard }

let x = try matrix(arguments[2], rows: rows, columns: columns)
let threads = integer("threads", Parallel.availableThreads)
var report: [String: Any] = ["task": arguments[1], "n": rows, "d": columns]
switch arguments[1] {
case "search":
    let queries = x.rows(0..<integer("queries", 10_000)), top = integer("top", 10)
    var table: NeighborTable?
    let elapsed = try seconds { table = try CosineSearch(corpus: x, threads: threads).search(queries, top: top) }
    report["s"] = elapsed
    report["gflops"] = 2 * Double(queries.rows) * Double(rows) * Double(columns) / elapsed / 1e9
    if let out = options["out"], let table { try table.rows.withUnsafeBytes { try Data($0).write(to: URL(fileURLWithPath: out)) } }
case "neighbors":
    report["s"] = try seconds { _ = try NearestNeighbors.euclidean(x, count: integer("count", 90), threads: threads) }
case "mine":
    report["s"] = try seconds { _ = try CosineSearch(corpus: x, threads: threads).minePairs(top: integer("top", 100)) }
case "pca":
    let pca = PCA(
        components: .count(integer("components", 50)), solver: options["solver"].flatMap(PCA.Solver.init) ?? .automatic, threads: threads)
    var model: PCAModel?
    // The best of several, as peers are timed with everything in place.
    report["s"] = try (0..<integer("repeat", 1)).map { _ in try seconds { model = try pca.fit(x) } }.min()
    report["transform"] = try seconds { _ = try model?.transform(x, threads: threads) }
    report["variances"] = model?.explainedVariance
    report["solver"] = model?.solver.rawValue
case "tsne":
    var tsne = TSNE()
    tsne.perplexities = [Double(integer("perplexity", 30))]
    tsne.threads = threads
    tsne.normalizesVectors = options["raw"] == nil
    tsne.iterations = integer("iterations", tsne.iterations)
    tsne.gradient = options["gradient"].flatMap(TSNE.Gradient.init) ?? .automatic
    if let momentum = options["early-momentum"].flatMap(Double.init) { tsne.earlyMomentum = momentum }
    tsne.earlyIterations = integer("early", tsne.earlyIterations)
    if let factor = options["early-exaggeration"].flatMap(Double.init) { tsne.earlyExaggeration = factor }
    // The divergence of a map that someone else made.
    if let other = options["of"] {
        tsne.initialization = .given(try matrix(other, rows: rows, columns: 2))
        (tsne.earlyIterations, tsne.iterations) = (0, 0)
    }
    if let spacing = options["spacing"].flatMap(Double.init) { tsne.spacing = spacing }
    if let rate = options["rate"].flatMap(Double.init) { tsne.learningRate = rate }
    var map: TSNEMap?
    report["s"] = try seconds {
        map = try tsne.fit(x) { state in
            guard options["verbose"] != nil else { return }
            let line = "\(state.iteration) KL \(state.kullbackLeiblerDivergence) gradient \(state.gradientNorm) spread \(state.spread)\n"
            FileHandle.standardError.write(Data(line.utf8))
        }
    }
    report["kl"] = map?.kullbackLeiblerDivergence
    report["early-exaggeration"] = map?.settings.earlyExaggeration
    report["method"] = map?.settings.gradient.rawValue
    if let out = options["out"], let map {
        try map.coordinates.elements.withUnsafeBytes { try Data($0).write(to: URL(fileURLWithPath: out)) }
    }
case "tree":
    // Cosine distances and the tree, as `kotonoha cluster --tree` computes them.
    let wide = x.converted(to: Double.self)
    var tree: Dendrogram?
    var distances: RDM?
    report["distances"] = try seconds { distances = try RDM(wide) }
    if let distances {
        report["s"] = try seconds {
            tree = try Dendrogram(distances, linkage: options["linkage"].flatMap(Dendrogram.Linkage.init) ?? .average)
        }
    }
    report["height"] = tree?.merges.last?.height
case "rsa":
    // Rows are condensed matrices: the models, then the subjects.
    let models = integer("models", 3), conditions = integer("conditions", 1000), labels = (0..<conditions).map(String.init)
    let matrices = try (0..<rows).map { row in (String(row), try RDM(labels: labels, values: (0..<columns).map { Double(x[row, $0]) })) }
    let rsa = RSA(.spearman, permutations: integer("permutations", 1000), resamples: integer("resamples", 0), threads: threads)
    var result: RSA.Result?
    report["s"] = try seconds { result = try rsa(models: Array(matrices[..<models]), subjects: Array(matrices[models...])) }
    report["values"] = result?.models.map(\.estimate.value)
    report["ceiling"] = result?.ceiling.map { [$0.lower, $0.upper] }
case "encoding":
    // The choice of a penalty for each response by folds in a row, then coefficients from all rows, as himalaya's RidgeCV makes them.
    let y = try matrix(options["responses"] ?? "", rows: rows, columns: integer("voxels", 20_000)), count = integer("penalties", 15),
        folds = integer("folds", 5)
    let search = PenaltySearch(penalties: EncodingModel.grid(1e-2, 1e5, count), standardizes: false, threads: threads)
    var choices: [PenaltySearch.Choice] = [], weights = Tensor<Float>(repeating: 0, shape: [1, 1])
    report["s"] = try seconds {
        choices = try search.best(
            x, y, rows: Array(0..<rows), folds: Parallel.chunks(rows, size: (rows + folds - 1) / folds).map(Array.init),
            voxels: Array(0..<y.columns))
        weights = try search.coefficients(x, y, rows: Array(0..<rows), voxels: Array(0..<y.columns), choices)
    }
    report["first"] = (0..<min(5, columns)).map { weights[$0, 0] }
    report["chosen"] = choices.map(\.penalty).prefix(2000).map { $0 }
    // What the products alone take, of the same shapes and on as many cores.
    let test = rows / folds, r = min(columns, rows - test), blocks = (y.columns + 255) / 256
    let left = x.rows(0..<rows - test), new = x.rows(0..<test), part = Tensor<Float>(repeating: 0.5, shape: [rows - test, 256]),
        shrunk = Tensor<Float>(repeating: 0.5, shape: [r, 256])
    report["products"] = seconds {
        Parallel.forEach(blocks, threads: threads) { _, _ in
            _ = matrixProduct(x, transposed: true, Tensor<Float>(repeating: 0.5, shape: [rows, 256]))
            _ = matrixProduct(Tensor<Float>(repeating: 0.5, shape: [columns, r]), shrunk)
        }
        for _ in 0..<folds {
            Parallel.forEach(blocks, threads: threads) { _, _ in
                _ = matrixProduct(left, transposed: true, part)
                for _ in 0..<count { _ = matrixProduct(new, shrunk) }
            }
        }
    }
default:
    FileHandle.standardError.write(Data("analysis-bench: unknown task \(arguments[1])\n".utf8))
    exit(64)
}
var usage = rusage()
getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
report["peak-mb"] = Double(usage.ru_maxrss) / 1024
print(String(decoding: try JSONSerialization.data(withJSONObject: report, options: [.sortedKeys]), as: UTF8.self))
