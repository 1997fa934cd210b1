import FileFormats
import Tensors
import VectorStore

/// The HDF5 layout of ANN-benchmarks (Aumüller et al. 2020): `train` (n, d), `test` (q, d), `neighbors` (q, k) and `distances` (q, k)
/// of exact search, the distance being angular: 1 − cosine.
package struct ANNBenchmark: Sendable {
    /// Rows drawn at random that become queries; the others are searched.
    package var queries: Int
    /// Nearest rows recorded for each query.
    package var neighbours: Int
    package var seed: UInt64

    package init(queries: Int = 1000, neighbours: Int = 100, seed: UInt64 = 0) {
        self.queries = queries
        self.neighbours = neighbours
        self.seed = seed
    }

    /// - Throws: `DataError` if the file has too few rows.
    package func write(_ file: VectorFile, to output: String) throws {
        let valid = try file.valid(), usable = (0..<file.count).filter { valid[$0] }
        guard queries > 0, neighbours > 0, usable.count >= queries + neighbours else {
            throw DataError(
                .usage,
                "\(queries) queries with \(neighbours) neighbours each need at least \(queries + neighbours) rows that are not empty; there are \(usable.count)",
                file: file.path)
        }
        var random = RandomSource(seed: seed)
        let order = random.permutation(usable.count).map { usable[$0] }
        let dimension = file.dimension
        let test = try file.vectors(rows: order[..<queries].sorted()), train = try file.vectors(rows: order[queries...].sorted())
        let found = try CosineSearch(corpus: train).search(test, top: neighbours)
        try HDF5Container.create(path: output) { container in
            try container.set("distance", .string("angular"))
            try container.write("train", shape: [usable.count - queries, dimension], values: train.elements)
            try container.write("test", shape: [queries, dimension], values: test.elements)
            try container.write("neighbors", shape: [queries, neighbours], values: found.rows)
            try container.write("distances", shape: [queries, neighbours], values: found.scores.map { 1 - $0 })
        }
    }
}
