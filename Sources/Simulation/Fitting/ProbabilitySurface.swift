import FileFormats
import Foundation
import Tensors

/// Category probabilities of a model over a plane of two parameters, simulated once on a grid and smooth in between.
///
/// Between the grid's points stands a quadratic B-spline whose control points are the simulated proportions. Its value is a weighted mean
/// of nine of them, so it is a probability everywhere, its slope is continuous, and simulation noise is evened out.
package struct ProbabilitySurface: Sendable {
    /// One parameter's places on the grid, evenly spaced on a linear or logarithmic scale.
    package struct Axis: Sendable, Equatable {
        package var name: String
        package var range: ClosedRange<Double>
        package var count: Int
        package var isLogarithmic: Bool

        package init(_ name: String, range: ClosedRange<Double>, count: Int, isLogarithmic: Bool = true) {
            (self.name, self.range, self.count, self.isLogarithmic) = (name, range, count, isLogarithmic)
        }

        package func value(_ index: Int) -> Double {
            let share = Double(index) / Double(max(count - 1, 1))
            return isLogarithmic
                ? range.lowerBound * pow(range.upperBound / range.lowerBound, share)
                : range.lowerBound + share * (range.upperBound - range.lowerBound)
        }

        /// The place of a value, 0 to count − 1; values outside count as the ends.
        func place(_ value: Double) -> Double {
            let share =
                isLogarithmic
                ? log(value / range.lowerBound) / log(range.upperBound / range.lowerBound)
                : (value - range.lowerBound) / (range.upperBound - range.lowerBound)
            return min(max(share, 0), 1) * Double(count - 1)
        }
    }

    package let x: Axis, y: Axis
    package let categories: Int
    /// Simulated trials at each point of the grid.
    package let trials: Int
    package let seed: UInt64
    /// Seconds that the simulation took.
    package let seconds: Double
    /// Responses by category, `(x.count, y.count, categories)`.
    package let counts: [Int]

    /// Simulates the grid, every point with the same random numbers.
    ///
    /// - Parameter simulate: responses by category for values of x and y; one thread, since points are shared among the threads.
    /// - Complexity: x.count × y.count × trials simulated trials.
    package init(
        x: Axis, y: Axis, categories: Int, trials: Int, seed: UInt64, threads: Int = Parallel.availableThreads,
        simulate: @Sendable (Double, Double) throws -> [Int]
    ) throws {
        let begin = ContinuousClock.now
        var counts = [Int](repeating: 0, count: x.count * y.count * categories)
        try counts.withUnsafeMutableBufferPointer { buffer in
            let shared = buffer.baseAddress.map { Shared($0) }
            try Parallel.forEach(x.count * y.count, threads: threads) { point, _ in
                let found = try simulate(x.value(point / y.count), y.value(point % y.count))
                for (c, count) in found.enumerated() { shared?.pointer[point * categories + c] = count }
            }
        }
        (self.x, self.y, self.categories, self.trials, self.seed, self.counts) = (x, y, categories, trials, seed, counts)
        seconds = (ContinuousClock.now - begin) / .seconds(1)
    }

    /// Probabilities at a point; none is zero, since half a response is added to every category.
    package func probabilities(_ x: Double, _ y: Double) -> [Double] {
        var result = [Double](repeating: 0, count: categories)
        let columns = Self.weights(self.x.place(x), self.x.count), rows = Self.weights(self.y.place(y), self.y.count)
        for (i, wx) in columns {
            for (j, wy) in rows {
                let start = (i * self.y.count + j) * categories, w = wx * wy
                for c in 0..<categories { result[c] += w * Double(counts[start + c]) }
            }
        }
        let total = Double(trials) + Double(categories) / 2
        for c in 0..<categories { result[c] = (result[c] + 0.5) / total }
        return result
    }

    /// The three control points that a quadratic B-spline weighs at a place; beyond the edge the last point counts again.
    private static func weights(_ place: Double, _ count: Int) -> [(Int, Double)] {
        let nearest = Int(place.rounded()), t = place - Double(nearest)
        let weights = [0.5 * (0.5 - t) * (0.5 - t), 0.75 - t * t, 0.5 * (0.5 + t) * (0.5 + t)]
        return (0..<3).map { (min(max(nearest + $0 - 1, 0), count - 1), weights[$0]) }
    }

    // MARK: File

    /// The surface as JSON, with a name of what was simulated, so that another model's file is not taken for it.
    package func write(to path: String, named name: String) throws {
        func axis(_ a: Axis) -> JSON {
            .object([
                ("name", .string(a.name)), ("low", .number(a.range.lowerBound)), ("high", .number(a.range.upperBound)),
                ("points", .integer(a.count)),
                ("logarithmic", .bool(a.isLogarithmic)),
            ])
        }
        let json = JSON.object([
            ("surface", .string(name)), ("x", axis(x)), ("y", axis(y)), ("categories", .integer(categories)), ("trials", .integer(trials)),
            ("seed", .string(String(seed))), ("seconds", .number(seconds)), ("counts", .array(counts.map(JSON.integer))),
        ])
        try AtomicFile.write(to: path) { try $0.write(json.serialized() + "\n") }
    }

    /// - Throws: `DataError` if the file is another model's, or its numbers do not fit together.
    package init(path: String, named name: String) throws {
        let json = try JSON(contentsOf: path)
        func fail(_ what: String) -> DataError { DataError(.badData, "\(what); delete the file to simulate it again", file: path) }
        guard json["surface"]?.string == name else {
            throw fail("expected the surface \(name), found \(json["surface"]?.string ?? "something else")")
        }
        func axis(_ key: String) throws -> Axis {
            guard let a = json[key], let name = a["name"]?.string, let low = a["low"]?.double, let high = a["high"]?.double,
                let count = a["points"]?.int,
                let isLogarithmic = a["logarithmic"]?.bool, low.isFinite, high.isFinite, low < high, !isLogarithmic || low > 0,
                (2...10_000).contains(count)
            else { throw fail("the axis \(key) is damaged") }
            return Axis(name, range: low...high, count: count, isLogarithmic: isLogarithmic)
        }
        (x, y) = (try axis("x"), try axis("y"))
        guard let categories = json["categories"]?.int, let trials = json["trials"]?.int,
            let seed = json["seed"]?.string.flatMap(UInt64.init),
            let seconds = json["seconds"]?.double, let counts = json["counts"]?.array?.map(\.int), (1...1000).contains(categories),
            trials > 0,
            counts.count == x.count * y.count * categories, counts.allSatisfy({ $0 != nil && $0! >= 0 && $0! <= trials })
        else { throw fail("its counts are damaged") }
        (self.categories, self.trials, self.seed, self.seconds, self.counts) = (categories, trials, seed, seconds, counts.compactMap { $0 })
    }
}
