import FileFormats
import Foundation
import Tensors

// Uniform manifold approximation and projection (McInnes, Healy & Melville 2018; reference: umap-learn). Goals in order: a map as faithful
// as the reference's; the same bits for a seed, whatever the number of threads, which the reference's parallel form does not give; speed.

/// A map of vectors that keeps near neighbours together and groups apart: settings, and `fit`.
public struct UMAP: Sendable {
    /// Where the points start.
    public enum Initialization: Sendable, Equatable {
        /// The first principal components, the largest coordinate scaled to 10, with a little noise.
        case pca
        /// Uniform in ±10.
        case random
        /// Coordinates (points, dimensions), as they are.
        case given(Tensor<Float>)
    }

    /// Size of a neighbourhood, the point itself included (as in the reference).
    public var neighbors = 15
    /// Minimum distance between points on the map.
    public var minimumDistance = 0.1
    /// Scale of the map: distances of points that are not neighbours.
    public var spread = 1.0
    /// 1 or 2.
    public var dimensions = 2
    /// Scales vectors to unit length first, so that Euclidean distance grows with the angle between them.
    public var normalizesVectors = true
    /// Where the points start.
    public var initialization = Initialization.pca
    /// Passes over the graph; nil: 500 up to 10,000 points, 200 beyond.
    public var epochs: Int?
    /// Initial learning rate; it falls linearly to 0.
    public var learningRate = 1.0
    /// Negative samples per edge.
    public var negativeSamples = 5
    /// Weight of pushing away.
    public var repulsion = 1.0
    /// Seed of the random numbers; it fixes the result.
    public var seed: UInt64 = 0
    /// Number of worker threads; results do not depend on it.
    public var threads = Parallel.availableThreads

    /// umap-learn's usual settings: 15 neighbours, minimum distance 0.1.
    public init() {}

    package func epochs(points: Int) -> Int { epochs ?? (points <= 10_000 ? 500 : 200) }

    package var curve: UMAPCurve { UMAPCurve(minimumDistance: minimumDistance, spread: spread) }

    /// The map of the rows of `x` (points, columns).
    ///
    /// Neighbours are exact. Time grows with points² for them and with points × neighbours × epochs for the layout.
    ///
    /// - Parameters:
    ///   - classes: keeps points of different classes apart; one number per point, negative for unknown.
    ///   - progress: called after each epoch with its number; an error that it throws ends the run.
    /// - Throws: `DataError` for fewer points than neighbours, NaN or infinity, settings that make no sense.
    public func fit(_ x: Tensor<Float>, classes: [Int32]? = nil, progress: ((_ epoch: Int) throws -> Void)? = nil) throws -> UMAPMap {
        try check(points: x.rows)
        try x.checkShape("the vectors")
        try checkFinite(x)
        let vectors = prepared(x)
        let table = try NearestNeighbors.euclidean(vectors, count: neighbors - 1, threads: threads)
        var graph = FuzzyGraph(table, threads: threads)
        if let classes { graph = try graph.separating(classes) }
        return try fit(graph, initial: try initialCoordinates(vectors), progress: progress)
    }

    /// The map of a graph that is known already.
    /// - Parameter initial: coordinates (points, dimensions).
    package func fit(_ graph: FuzzyGraph, initial: Tensor<Float>, progress: ((_ epoch: Int) throws -> Void)? = nil) throws -> UMAPMap {
        let layout = UMAPLayout(self, graph, initial: initial), epochs = epochs(points: graph.count)
        for epoch in 0..<epochs {
            layout.run(epoch: epoch, of: epochs)
            try progress?(epoch + 1)
        }
        let coordinates = layout.coordinates
        guard coordinates.isFinite else { throw DataError(.badData, "the layout diverged; lower the learning rate") }
        return UMAPMap(coordinates: coordinates, settings: self, epochs: epochs, curve: curve)
    }

    /// The vectors as distances are taken between: of unit length, if `normalizesVectors`.
    package func prepared(_ x: Tensor<Float>) -> Tensor<Float> { normalizesVectors ? normalizedRows(x, threads: threads) : x }

    /// - Throws: `DataError` for settings that make no sense.
    func check(points: Int) throws {
        func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
            if !condition { throw DataError(.usage, message()) }
        }
        try require(dimensions == 1 || dimensions == 2, "a map has 1 or 2 dimensions, not \(dimensions)")
        try require(neighbors >= 2, "a neighbourhood has at least 2 points, not \(neighbors)")
        try require(neighbors <= points, "a neighbourhood of \(neighbors) points needs as many points; there are \(points)")
        try require(spread > 0 && spread <= 1e3, "the spread must be above 0 and at most 1000, not \(spread)")
        try require(
            minimumDistance >= 0 && minimumDistance <= spread,
            "the minimum distance must be between 0 and the spread, \(spread), not \(minimumDistance)")
        try require(epochs.map { $0 >= 0 } ?? true, "the number of epochs cannot be negative")
        try require(learningRate > 0 && learningRate <= 1e3, "the learning rate must be above 0 and at most 1000, not \(learningRate)")
        try require((0...1000).contains(negativeSamples), "negative samples must be 0 to 1000, not \(negativeSamples)")
        try require(repulsion >= 0 && repulsion <= 1e3, "the repulsion must be 0 to 1000, not \(repulsion)")
    }

    func initialCoordinates(_ x: Tensor<Float>) throws -> Tensor<Float> {
        let n = x.rows
        var random = RandomSource(seed: seed).split(1)
        switch initialization {
        case .given(let coordinates):
            guard coordinates.shape == [n, dimensions], coordinates.isFinite else {
                throw DataError(
                    .badData,
                    "the initial coordinates have shape \(coordinates.shape); expected finite values of shape "
                        + "[\(n), \(dimensions)]")
            }
            return coordinates
        case .random:
            return Tensor((0..<n * dimensions).map { _ in Float(20 * random.uniform() - 10) }, shape: [n, dimensions])
        case .pca:
            let kept = min(dimensions, x.columns)
            let model = try PCA(
                components: .count(kept), solver: min(n, x.columns) > 4096 ? .randomized : .automatic, seed: seed, threads: threads
            ).fit(x)
            let principal = try model.transform(x, threads: threads)
            let largest = principal.elements.reduce(0) { max($0, abs($1)) }, scale = largest > 0 ? 10 / largest : 1
            let places = (0..<n * dimensions).map { place in
                let (row, c) = place.quotientAndRemainder(dividingBy: dimensions)
                return (c < kept ? principal[row, c] * scale : 0) + Float(1e-4 * random.normal())
            }
            return Tensor(places, shape: [n, dimensions])
        }
    }
}

/// A finished map.
public struct UMAPMap: Sendable {
    /// (points, dimensions).
    public let coordinates: Tensor<Float>
    /// The settings that made it.
    public let settings: UMAP
    /// Passes over the graph.
    public let epochs: Int
    package let curve: UMAPCurve
}
