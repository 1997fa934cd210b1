import Foundation
import Tensors

/// Values of numpy, scipy, scikit-learn, openTSNE and sentence-transformers; see tools/golden/analysis.py.
struct Golden: Decodable {
    struct Components: Decodable {
        let components: [[Double]]
        let mean: [Double]
        let variances: [Double]
        let ratios: [Double]
        let coordinates: [[Double]]
    }
    struct Divergence: Decodable {
        let alpha: Double, kl: Double
        let gradient: [[Double]]
    }
    let rows: Int, columns: Int
    let vectors: [Float]
    let groups: [Int32]
    let pca: Components
    let whitened: [[Double]]
    let componentsFor95: Int
    let affinities: [[Double]]
    let multiscale: [[Double]]
    let map: [Float]
    let otherMap: [Float]
    let divergences: [Divergence]
    let trustworthiness: Double
    let continuity: Double
    let procrustes: Double
    let nearest: [[Int]]
    let communityVectors: [Float]
    let communities: [[Int]]

    static func load() throws -> Golden {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/analysis.json")
        return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
    }

    var x: Tensor<Float> { Tensor(vectors, shape: [rows, columns]) }
    var y: Tensor<Float> { Tensor(map, shape: [rows, 2]) }
    var other: Tensor<Float> { Tensor(otherMap, shape: [rows, 2]) }
}

/// Values of scikit-learn's exact t-SNE; see tools/golden/tsne.py.
struct TSNEGolden: Decodable {
    struct Map: Decodable { let perplexity: Double, kl: Double }
    /// Upper triangle of P for `Golden.x` and perplexity 12, over all pairs.
    let affinities: [Double]
    /// KL of `Golden.y` under them.
    let kl: Double
    let cloud: [Float]
    let cloudRows: Int
    let maps: [Map]

    static func load() throws -> TSNEGolden {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/tsne.json")
        return try JSONDecoder().decode(TSNEGolden.self, from: Data(contentsOf: file))
    }
}

/// Normally distributed rows around `clusters` middles.
func sample(rows: Int, columns: Int, clusters: Int = 5, seed: UInt64 = 1) -> Tensor<Float> {
    var random = RandomSource(seed: seed)
    let middles = (0..<clusters * columns).map { _ in random.normal() }
    return Tensor(
        (0..<rows * columns).map { i in Float(middles[(i / columns % clusters) * columns + i % columns] + 0.5 * random.normal()) },
        shape: [rows, columns])
}

func largestDifference(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(a.count == b.count ? 0 : .infinity) { max($0, abs($1.0 - $1.1)) }
}
