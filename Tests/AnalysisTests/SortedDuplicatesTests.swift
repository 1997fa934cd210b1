import Analysis
import FileFormats
import Tensors
import Testing

@Suite struct SortedDuplicatesTests {
    /// Planted near-duplicates among random directions: what is found is what the exact search finds, but for a few.
    @Test func findsWhatAllPairsFind() throws {
        var random = RandomSource(seed: 3)
        let d = 48, n = 6000
        var rows: [[Float]] = []
        for row in 0..<n {
            if row > 100, row % 4 == 0 {
                // A copy with a little noise: cosines of about 0.95 to 1.
                let noise = Float(0.01 + 0.24 * random.uniform()), other = rows[random.below(rows.count)]
                rows.append(other.map { $0 + noise * Float(random.normal()) })
            } else {
                rows.append((0..<d).map { _ in Float(random.normal()) })
            }
        }
        let x = Tensor(rows.flatMap { $0 }, shape: [n, d]), all = Array(0..<n)
        let exact = try NearDuplicates.drop(all, of: x, cosine: 0.98), fast = try SortedDuplicates(cosine: 0.98, seed: 1).drop(all, of: x)
        let truth = Set(exact.repeats.map(\.row)), found = Set(fast.repeats.map(\.row))
        #expect(truth.count > 700)
        let recall = Double(truth.intersection(found).count) / Double(truth.count)
        #expect(recall > 0.98, "recall \(recall)")
        // A near-duplicate is one: each names an earlier row that stays, with its exact cosine.
        let kept = Set(fast.kept)
        for found in fast.repeats {
            #expect(found.of < found.row && kept.contains(found.of) && found.cosine >= 0.98)
            let a = rows[found.row], b = rows[found.of]
            func dot(_ a: [Float], _ b: [Float]) -> Double { zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
            #expect(abs(found.cosine - dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()) < 1e-6)
        }
        #expect(fast.kept.count + fast.repeats.count == n)
        // The seed decides, threads do not.
        #expect(try SortedDuplicates(cosine: 0.98, seed: 1, threads: 3).drop(all, of: x).repeats == fast.repeats)
    }
}
