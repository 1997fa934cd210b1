import Analysis
import FileFormats
import Foundation
import Tensors
import Testing
import VectorStore

@Suite struct CosineSearchTests {
    /// Cosine in Double.
    private func cosine(_ x: Tensor<Float>, _ i: Int, _ y: Tensor<Float>, _ j: Int) -> Double {
        let width = x.columns
        var xy = 0.0, xx = 0.0, yy = 0.0
        for c in 0..<width {
            xy += Double(x[i, c]) * Double(y[j, c])
            xx += Double(x[i, c]) * Double(x[i, c])
            yy += Double(y[j, c]) * Double(y[j, c])
        }
        return xy / (xx.squareRoot() * yy.squareRoot())
    }

    @Test func findsWhatNumpyFinds() throws {
        let golden = try Golden.load()
        let table = try CosineSearch(corpus: golden.x).search(golden.x, top: 11)
        for row in 0..<golden.rows {
            #expect(table[row].first?.row == row)
            #expect(table[row].dropFirst().map(\.row) == golden.nearest[row])
        }
    }

    /// A query alone is answered by a scan of the corpus: the same rows and bits as among many, with copies, rows left out and zeros.
    @Test func aQueryAloneFindsWhatItFindsAmongMany() throws {
        for (rows, width, top) in [(2_500, 20, 10), (5_121, 33, 7), (2_048, 384, 100)] {
            var corpus = sample(rows: rows, columns: width)
            for row in stride(from: 100, to: rows, by: 9) {
                for c in 0..<width { corpus[row * width + c] = corpus[(row % 50) * width + c] }
            }
            for c in 0..<width { corpus[3 * width + c] = 0 }
            let valid = (0..<rows).map { $0 % 11 != 5 }, queries = sample(rows: 70, columns: width, seed: 2)
            let search = try CosineSearch(corpus: corpus, valid: valid), many = try search.search(queries, top: top)
            for query in [0, 1, 33, 69] {
                let alone = try search.search(queries.rows(query..<query + 1), top: top)
                #expect(alone[0].map(\.row) == many[query].map(\.row), "\(rows) × \(width), query \(query)")
                #expect(alone[0].map(\.score.bitPattern) == many[query].map(\.score.bitPattern), "\(rows) × \(width), query \(query)")
            }
            let none = try search.search(Tensor<Float>(repeating: 0, shape: [1, width]), top: top)
            #expect(none[0].isEmpty)
            var broken = corpus
            broken[(rows - 7) * width] = .nan
            #expect { try CosineSearch(corpus: broken).search(queries.rows(0..<1), top: top) } throws: {
                "\($0)".contains("row \(rows - 7)")
            }
        }
    }

    /// Codes beside mapped vectors: int8 gives the rows and bits of the whole search, whatever the vectors; binary most of the rows.
    @Test func codesFindWhatVectorsFind() throws {
        let folder = NSTemporaryDirectory() + "/codes-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (rows, width, kind) in [(6_000, 64, VectorCodes.int8), (6_000, 33, .int8), (60_000, 64, .binary), (5_000, 33, .binary)] {
            var x = sample(rows: rows, columns: width)
            // Copies, rows of zeros, rows of very different lengths.
            for row in stride(from: 100, to: rows, by: 9) {
                for c in 0..<width { x[row * width + c] = x[(row % 50) * width + c] * Float(row % 7 + 1) }
            }
            for c in 0..<width {
                x[3 * width + c] = 0
                x[4 * width + c] *= 1e-20
                x[5 * width + c] *= 1e15
            }
            let path = folder + "/\(kind)\(width).h5", texts = (0..<rows).map(String.init), valid = (0..<rows).map { $0 % 11 != 5 }
            let metadata = VectorMetadata(
                model: "m", modelSHA256: "", pooling: "mean", isNormalized: false, precision: "f32", maxLength: 8, createdBy: "",
                source: "", sourceSHA256: "")
            let writer = try VectorFileWriter(
                path: path, layout: VectorLayout(dimension: width), metadata: metadata, rows: rows, codes: kind)
            try writer.append(VectorBlock(texts: texts, valid: valid, embeddings: x.elements))
            try writer.finish()
            let file = try VectorFile(path: path), queries = sample(rows: 70, columns: width, seed: 2)
            #expect(file.isMapped)
            var search = try CosineSearch(corpus: file, valid: valid)
            let many = try search.search(queries, top: 10)
            search.codes = try RowCodes(kind, of: file)
            var found = 0, asked = 0
            for query in 0..<70 {
                let alone = try search.search(queries.rows(query..<query + 1), top: 10)
                asked += many[query].count
                found += Set(alone[0].map(\.row)).intersection(many[query].map(\.row)).count
                guard kind == .int8 else { continue }
                #expect(
                    alone[0].map(\.row) == many[query].map(\.row)
                        && alone[0].map(\.score.bitPattern) == many[query].map(\.score.bitPattern), "\(width), query \(query)")
            }
            print("\(kind) codes of \(rows) × \(width): recall at 10 \(Double(found) / Double(asked))")
            #expect(Double(found) >= 0.99 * Double(asked))
            // In threads of any number the same.
            search = try CosineSearch(corpus: file, valid: valid, threads: 1)
            search.codes = try RowCodes(kind, of: file)
            let one = try search.search(queries.rows(7..<8), top: 10)
            search = try CosineSearch(corpus: file, valid: valid, threads: 3)
            search.codes = try RowCodes(kind, of: file)
            #expect(try search.search(queries.rows(7..<8), top: 10) == one)
            #expect(throws: DataError.self) { try RowCodes(kind == .int8 ? .binary : .int8, of: file) }
        }
    }

    /// More rows than one band of blocks, a width that fills no register, an odd number of queries.
    @Test func agreesWithEveryPairInDouble() throws {
        let corpus = sample(rows: 9_500, columns: 19), queries = sample(rows: 70, columns: 19, seed: 2)
        let table = try CosineSearch(corpus: corpus).search(queries, top: 25)
        for query in 0..<70 {
            let truth = (0..<9_500).map { cosine(queries, query, corpus, $0) }
            let order = truth.indices.sorted { (truth[$1], $0) < (truth[$0], $1) }
            #expect(table[query].count == 25)
            for (place, answer) in table[query].enumerated() {
                #expect(abs(Double(answer.score) - truth[answer.row]) < 1e-6)
                #expect(abs(truth[answer.row] - truth[order[place]]) < 1e-6)
            }
            #expect(Set(table[query].map(\.row)).count == 25)
        }
    }

    @Test(.tags(.sameBits)) func doesNotDependOnThreadsOrLength() throws {
        let corpus = sample(rows: 3_000, columns: 33), queries = sample(rows: 200, columns: 33, seed: 3)
        let one = try CosineSearch(corpus: corpus, threads: 1).search(queries, top: 7)
        for threads in 2...3 { #expect(try CosineSearch(corpus: corpus, threads: threads).search(queries, top: 7) == one) }
        // Powers of two scale without rounding.
        let scaled = Tensor(queries.elements.map { $0 * 1024 }, shape: queries.shape)
        #expect(try CosineSearch(corpus: corpus).search(scaled, top: 7).rows == one.rows)
    }

    @Test func equalCosinesGoToTheLowerRow() throws {
        let corpus = Tensor<Float>([1, 0, 0, 1, 2, 0, 0, 3, 4, 0, -1, 0], shape: [6, 2])
        let table = try CosineSearch(corpus: corpus).search(Tensor<Float>([1, 0], shape: [1, 2]), top: 10)
        #expect(table.top == 6)
        #expect(table[0].map(\.row) == [0, 2, 4, 1, 3, 5])
        #expect(table[0].map(\.score) == [1, 1, 1, 0, 0, -1])
    }

    @Test func zerosAndMaskedRowsTakeNoPart() throws {
        let corpus = Tensor<Float>([1, 0, 0, 0, 1, 1, 0, 1], shape: [4, 2])
        let search = try CosineSearch(corpus: corpus, valid: [true, true, false, true])
        let table = try search.search(corpus, top: 4, queryValid: [true, true, true, false])
        #expect(table[0].map(\.row) == [0, 3])
        #expect(table[1].isEmpty && table[3].isEmpty)
        #expect(table[2].map(\.row) == [0, 3])
        #expect(table.rows[2...7].allSatisfy { $0 == -1 })
    }

    @Test func extremeLengthsKeepTheirDirection() throws {
        let corpus = Tensor<Float>([1e38, 1e38, 1e-36, 0, 3e-36, 3e-36], shape: [3, 2])
        let table = try CosineSearch(corpus: corpus).search(corpus, top: 3)
        #expect(table[0].map(\.row) == [0, 2, 1])
        #expect(abs(table[0][1].score - 1) < 1e-6)
    }

    @Test func badInputIsNamed() throws {
        var broken = sample(rows: 40, columns: 4)
        broken[17 * 4 + 1] = .nan
        let fine = sample(rows: 40, columns: 4)
        #expect { try CosineSearch(corpus: broken).search(fine, top: 1) } throws: { "\($0)".contains("row 17 of the vectors") }
        #expect { try CosineSearch(corpus: fine).search(broken, top: 1) } throws: { "\($0)".contains("row 17 of the queries") }
        #expect(throws: DataError.self) { try CosineSearch(corpus: fine).search(sample(rows: 2, columns: 5), top: 1) }
        #expect(throws: DataError.self) { try CosineSearch(corpus: fine).search(fine, top: 0) }
        #expect(throws: DataError.self) { try CosineSearch(corpus: fine, valid: [true]) }
        #expect(try CosineSearch(corpus: fine).search(Tensor<Float>(shape: [0, 4]), top: 1).queries == 0)
        #expect(try CosineSearch(corpus: Tensor<Float>(shape: [0, 4])).search(fine, top: 1)[0].isEmpty)
    }

    // MARK: Pairs

    @Test(arguments: [
        PairFilter(), PairFilter(threshold: 0.8), PairFilter(identityClasses: (0..<300).map { Int32($0 / 3) }),
        PairFilter(threshold: 0.2, groups: (0..<300).map { Int32($0 % 4) }),
    ])
    func minedPairsAreTheBestOfAll(_ filter: PairFilter) throws {
        let x = sample(rows: 300, columns: 12)
        var expected: [(Double, Int, Int)] = []
        for i in 0..<300 {
            for j in i + 1..<300
            where filter.identityClasses.map({ $0[i] != $0[j] }) ?? true && filter.groups.map({ $0[i] != $0[j] }) ?? true {
                let value = cosine(x, i, x, j)
                if value >= Double(filter.threshold) { expected.append((value, i, j)) }
            }
        }
        expected.sort { ($1.0, $0.1, $0.2) < ($0.0, $1.1, $1.2) }
        let pairs = try CosineSearch(corpus: x).minePairs(top: 40, filter: filter)
        #expect(pairs.count == min(40, expected.count))
        for (pair, truth) in zip(pairs, expected) { #expect(abs(Double(pair.cosine) - truth.0) < 1e-6) }
        #expect(pairs.allSatisfy { $0.first < $0.second })
        #expect(try CosineSearch(corpus: x, threads: 1).minePairs(top: 40, filter: filter) == pairs)
    }

    @Test func minedPairsCrossBands() throws {
        var x = sample(rows: 8_300, columns: 6, clusters: 40)
        for c in 0..<6 { x[8_250 * 6 + c] = 2 * x[11 * 6 + c] }
        let pairs = try CosineSearch(corpus: x).minePairs(top: 500)
        #expect(pairs.count == 500)
        #expect(pairs.prefix(5).contains { $0.first == 11 && $0.second == 8_250 })
        #expect(try CosineSearch(corpus: x, threads: 3).minePairs(top: 500) == pairs)
    }

    @Test func randomPairsHaveTheDistributionOfAllPairs() throws {
        let x = sample(rows: 400, columns: 8)
        let drawn = try RandomPairCosines(of: x, count: 50_000, seed: 4)
        var all: [Double] = []
        for i in 0..<400 { for j in 0..<i { all.append(cosine(x, i, x, j)) } }
        all.sort()
        for p in [0.01, 0.5, 0.99] { #expect(abs(drawn.quantile(p) - all[Int(p * Double(all.count - 1))]) < 0.03) }
        #expect(abs(drawn.mean - all.reduce(0, +) / Double(all.count)) < 0.01)
        #expect(try RandomPairCosines(of: x, count: 50_000, seed: 4, threads: 1).sorted == drawn.sorted)
        #expect(throws: DataError.self) { try RandomPairCosines(of: x.rows(0..<1)) }
    }

    @Test func neighboursAreThoseOfDouble() throws {
        // A large common offset, where products of raw floats would lose the distances.
        let x = Tensor(sample(rows: 500, columns: 7).elements.map { $0 + 300 }, shape: [500, 7])
        let table = try NearestNeighbors.euclidean(x, count: 12)
        for i in stride(from: 0, to: 500, by: 29) {
            let truth = (0..<500).filter { $0 != i }.map { j in
                ((0..<7).reduce(0.0) { $0 + (Double(x[i, $1]) - Double(x[j, $1])) * (Double(x[i, $1]) - Double(x[j, $1])) }.squareRoot(), j)
            }.sorted { $0 < $1 }
            #expect(table[i].map(\.row) == truth.prefix(12).map(\.1))
            #expect(zip(table[i], truth).allSatisfy { abs(Double($0.score) - $1.0) < 1e-5 })
        }
    }

    /// Enough rows that int8 products choose the candidates where the processor has them: among points everywhere, among more near-copies
    /// than candidates are kept, with exact copies, and beside a row so long that int8 is of no use.
    @Test(arguments: [0, 1e4 as Float]) func neighboursAmongManyAreThoseOfDouble(longest: Float) throws {
        let rows = 9_000, width = 24, count = 5
        var x = sample(rows: rows, columns: width, seed: 4)
        for row in 0..<400 { for c in 0..<width { x[row * width + c] = x[c] + 1e-2 * x[row * width + c] } }
        for row in 400..<600 { for c in 0..<width { x[row * width + c] = x[399 * width + c] } }
        if longest > 0 { for c in 0..<width { x[700 * width + c] = longest } }
        let table = try NearestNeighbors.euclidean(x, count: count), new = sample(rows: 40, columns: width, seed: 9)
        let found = try NearestNeighbors.euclidean(of: new, among: x, count: count)
        func truth(_ query: (Int) -> Float, leaving own: Int?) -> [Int] {
            let distances = (0..<rows).map { row in
                Float(
                    (0..<width).reduce(0.0) { sum, c in
                        let difference = Double(query(c)) - Double(x[row, c])
                        return sum + difference * difference
                    }.squareRoot())
            }
            return Array((0..<rows).filter { $0 != own }.sorted { (distances[$0], $0) < (distances[$1], $1) }.prefix(count))
        }
        for i in [0, 1, 200, 398, 400, 401, 599, 600, 700] + Array(stride(from: 1_000, to: rows, by: 333)) {
            #expect(table[i].map(\.row) == truth({ x[i, $0] }, leaving: i), "row \(i)")
        }
        for i in 0..<new.rows { #expect(found[i].map(\.row) == truth({ new[i, $0] }, leaving: nil), "new row \(i)") }
        #expect(try NearestNeighbors.euclidean(x, count: count, threads: 1) == table)
        x[800 * width] = 1e30
        #expect { try NearestNeighbors.euclidean(x, count: count) } throws: { "\($0)".contains("row 800") || "\($0)".contains("32 bits") }
    }
}
