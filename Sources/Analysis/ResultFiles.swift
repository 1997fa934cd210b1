import FileFormats
import Tensors
import VectorStore

extension PCAModel {
    /// Writes `pca.h5`: the model and the coordinates of the rows it was asked for, a portion at a time, so that they need not fit into
    /// memory.
    ///
    /// - Parameters:
    ///   - rows: the row of each coordinate in the vector file, from 0.
    ///   - attributes: how it was made.
    ///   - coordinates: hands over the coordinates (rows, components) of all rows in order.
    package func write(
        to path: String, rows: [Int], attributes: [(String, HDF5Attribute)], coordinates: ((Tensor<Float>) throws -> Void) throws -> Void
    ) throws {
        try HDF5Container.create(path: path) { file in
            try file.set("format", .string("kotonoha/pca"))
            try file.set("format_version", .int(1))
            try file.set("solver", .string(solver.rawValue))
            try file.set("whiten", .int(whiten ? 1 : 0))
            try file.set("total_variance", .double(totalVariance))
            for (name, value) in attributes { try file.set(name, value) }
            try file.write("components", shape: components.shape, values: components.elements)
            try file.write("mean", shape: [mean.count], values: mean)
            try file.write("explained_variance", shape: [count], values: explainedVariance)
            try file.write("explained_variance_ratio", shape: [count], values: explainedVarianceRatio)
            let table = try file.makeDataset("coordinates", shape: [rows.count, count], of: Float.self)
            var next = 0
            try coordinates { part in
                try part.withUnsafeElements {
                    try table.write(rows: next..<next + part.rows, from: UnsafeBufferPointer(start: $0, count: part.count))
                }
                next += part.rows
            }
            precondition(next == rows.count, "coordinates are missing")
            try file.write("rows", shape: [rows.count], values: rows)
        }
    }

    /// Reads a model that `write` has written.
    /// - Throws: `DataError` if the file is of another kind, damaged, or its parts do not match.
    package init(path: String) throws {
        let file = try HDF5Container(path: path)
        guard try file.attribute("format")?.string == "kotonoha/pca" else {
            throw DataError(.badData, "not a file of principal components; expected one written by `pca`", file: path)
        }
        let components = try file.read("components", as: Double.self), mean = try file.read("mean", as: Double.self)
        let variance = try file.read("explained_variance", as: Double.self)
        guard components.shape.count == 2, mean.shape == [components.shape[1]], variance.shape == [components.shape[0]] else {
            throw DataError(
                .badData,
                "components \(components.shape), mean \(mean.shape) and variances \(variance.shape) do not "
                    + "match", file: path)
        }
        self.init(
            components: Tensor(components.values, shape: components.shape), mean: mean.values, explainedVariance: variance.values,
            totalVariance: try file.attribute("total_variance")?.double ?? variance.values.reduce(0, +),
            rows: (try file.read("rows", as: Int.self)).values.count, whiten: try file.attribute("whiten")?.int == 1,
            solver: PCA.Solver(rawValue: try file.attribute("solver")?.string ?? "") ?? .automatic)
    }
}

extension TSNEMap {
    /// Writes `map.h5`: coordinates, the rows they belong to, and every setting.
    package func write(to path: String, rows: [Int], attributes: [(String, HDF5Attribute)]) throws {
        let freedom = settings.degreesOfFreedom,
            initialization = settings.initialization == .pca ? "pca" : settings.initialization == .random ? "random" : "given"
        var all: [(String, HDF5Attribute)] = [
            ("kullback_leibler_divergence", .double(kullbackLeiblerDivergence)), ("affinities", .string(pairs.rawValue)),
            ("affinity_neighbors", .int(neighbors)),
            ("gradient", .string(settings.method(points: coordinates.rows).rawValue)),
            ("perplexities", .string(settings.perplexities.map { "\($0)" }.joined(separator: ","))),
            ("realized_perplexity", .double(realizedPerplexity)),
            ("early_exaggeration", .double(settings.earlyExaggeration ?? 12)), ("early_iterations", .int(settings.earlyIterations)),
            ("exaggeration", .double(settings.exaggeration)), ("iterations", .int(iterations)), ("degrees_of_freedom", .double(freedom)),
            ("initialization", .string(initialization)), ("metric", .string("euclidean")),
            ("seed", .int(Int(truncatingIfNeeded: settings.seed))),
        ]
        if let divergenceOverAllPairs { all.append(("kullback_leibler_divergence_over_all_pairs", .double(divergenceOverAllPairs))) }
        // The caller may know of more that was done to the vectors.
        if !attributes.contains(where: { $0.0 == "preprocessing" }) {
            all.append(("preprocessing", .string(settings.normalizesVectors ? "L2-normalized" : "none")))
        }
        try MapFile.write(coordinates, rows: rows, method: "t-SNE", to: path, attributes: all + attributes)
    }
}

/// What `map.h5` holds: the coordinates of a map and what is needed to compare it or to put new points on it.
public struct MapFile: Sendable {
    /// (points, dimensions).
    public let coordinates: Tensor<Float>
    /// Row of each point in the vector file, from 0.
    public let rows: [Int]
    /// Name and hash of the vector file, as far as the map knows them.
    public let source: String?
    /// SHA-256 of the vector file.
    public let sourceSHA256: String?
    /// Whether distances were taken between vectors of unit length.
    package let normalizesVectors: Bool
    /// Principal components that the vectors were reduced to first.
    package let principalComponents: Int?
    package let degreesOfFreedom: Double
    /// Seed of the map's random numbers.
    package let seed: UInt64
    /// How it was made: "t-SNE", "UMAP" …
    public let method: String
    /// Of UMAP.
    package let neighbors: Int?
    package let minimumDistance: Double?
    /// UMAP's scale of the map; nil for other methods.
    package let spread: Double?

    /// - Throws: `DataError` if the file is of another kind, damaged, or its parts do not match.
    public init(path: String) throws {
        let file = try HDF5Container(path: path)
        guard try file.attribute("format")?.string == "kotonoha/map" else {
            throw DataError(.badData, "not a map; expected one written by `tsne` or `umap`", file: path)
        }
        let coordinates = try file.read("coordinates", as: Float.self), rows = try file.read("rows", as: Int.self)
        guard coordinates.shape.count == 2, (1...2).contains(coordinates.shape[1]), rows.shape == [coordinates.shape[0]],
            rows.values.allSatisfy({ $0 >= 0 }), coordinates.values.allSatisfy(\.isFinite)
        else {
            throw DataError(.badData, "coordinates \(coordinates.shape) and rows \(rows.shape) do not match", file: path)
        }
        self.coordinates = Tensor(coordinates.values, shape: coordinates.shape)
        self.rows = rows.values
        source = try file.attribute("source")?.string
        sourceSHA256 = try file.attribute("source_sha256")?.string
        normalizesVectors = try file.attribute("preprocessing")?.string?.contains("L2-normalized") ?? true
        principalComponents = try file.attribute("principal_components")?.int.flatMap { $0 > 0 ? $0 : nil }
        let freedom = try file.attribute("degrees_of_freedom")?.double ?? 1
        degreesOfFreedom = freedom >= 0.1 && freedom <= 100 ? freedom : 1
        seed = UInt64(bitPattern: Int64(try file.attribute("seed")?.int ?? 0))
        method = try file.attribute("method")?.string ?? "t-SNE"
        neighbors = try file.attribute("neighbors")?.int
        minimumDistance = try file.attribute("minimum_distance")?.double
        spread = try file.attribute("spread")?.double
    }

    /// Writes coordinates (points, dimensions), the rows they belong to, and how they were made.
    package static func write(
        _ coordinates: Tensor<Float>, rows: [Int], method: String, to path: String, attributes: [(String, HDF5Attribute)]
    ) throws {
        try HDF5Container.create(path: path) { file in
            try file.set("format", .string("kotonoha/map"))
            try file.set("format_version", .int(1))
            try file.set("method", .string(method))
            for (name, value) in attributes { try file.set(name, value) }
            try file.write("coordinates", shape: coordinates.shape, values: coordinates.elements)
            try file.write("rows", shape: [rows.count], values: rows)
        }
    }
}
