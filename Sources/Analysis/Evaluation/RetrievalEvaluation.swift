import FileFormats
import Tensors

/// Which sentences of one column answer those of the other, in a list of pairs.
///
/// A sentence that is in several pairs is one sentence: it asks once, is found once, and each of its partners is a right answer. With
/// groups, as of captions of one picture, every sentence of the group is.
package struct PartnerTable: Sendable, Equatable {
    /// The rows in which each different sentence of a column stands for the first time: those to be embedded.
    package let first: [Int]
    package let second: [Int]
    /// For each of `first` the places in `second` that are right answers, ascending; and the other way round.
    package let answersOfFirst: [[Int]]
    package let answersOfSecond: [[Int]]
    package let pairs: Int

    /// Whether some sentence has more than one right answer, or is in more than one pair.
    package var hasSeveralPartners: Bool { first.count < pairs || second.count < pairs || answersOfFirst.contains { $0.count > 1 } }

    /// - Parameters:
    ///   - first, second: a number for each different sentence of a column, one a pair (`PairFilter.classes(of:)`).
    ///   - groups: a number for each group, one a pair; nil for none.
    package init(first: [Int32], second: [Int32], groups: [Int32]? = nil) {
        precondition(first.count == second.count && (groups?.count ?? first.count) == first.count)
        func distinct(_ numbers: [Int32]) -> (rows: [Int], places: [Int]) {
            var known: [Int32: Int] = [:], rows: [Int] = []
            let places = numbers.enumerated().map { row, number in
                if let place = known[number] { return place }
                known[number] = rows.count
                rows.append(row)
                return rows.count - 1
            }
            return (rows, places)
        }
        let a = distinct(first), b = distinct(second)
        var there = [Set<Int>](repeating: [], count: a.rows.count), back = [Set<Int>](repeating: [], count: b.rows.count)
        var members: [Int32: (first: Set<Int>, second: Set<Int>)] = [:]
        for row in first.indices {
            there[a.places[row]].insert(b.places[row])
            back[b.places[row]].insert(a.places[row])
            if let group = groups?[row] {
                members[group, default: ([], [])].first.insert(a.places[row])
                members[group, default: ([], [])].second.insert(b.places[row])
            }
        }
        for (_, group) in members {
            for place in group.first { there[place].formUnion(group.second) }
            for place in group.second { back[place].formUnion(group.first) }
        }
        (self.first, self.second, pairs) = (a.rows, b.rows, first.count)
        answersOfFirst = there.map { $0.sorted() }
        answersOfSecond = back.map { $0.sorted() }
    }
}

/// How often a sentence's partner (its translation, its paraphrase) is the nearest of all candidates.
package struct RetrievalEvaluation: Sendable, Equatable {
    package let queries: Int
    /// Share of queries that find a right answer first, or among the first ten, of all candidates; in 0 ... 1. An equally near wrong one
    /// counts against it.
    package let first: Double
    package let firstTen: Double
    /// Mean reciprocal rank of the first right answer, those below rank ten counting 0.
    package let meanReciprocalRank: Double

    /// Each query has one partner.
    ///
    /// - Parameters:
    ///   - queries, partners: vectors (pairs, dimension), row k of one belonging to row k of the other.
    /// - Throws: `DataError` if the shapes differ or a vector is not finite.
    package init(queries: Tensor<Float>, partners: Tensor<Float>, threads: Int = Parallel.availableThreads) throws {
        guard queries.rows == partners.rows else {
            throw DataError(
                .badData, "retrieval needs as many partners as queries, at least one; there are \(partners.rows) and \(queries.rows)")
        }
        try self.init(queries: queries, candidates: partners, answers: (0..<queries.rows).map { [$0] }, threads: threads)
    }

    /// - Parameters:
    ///   - queries, candidates: vectors (queries, dimension) and (candidates, dimension).
    ///   - answers: for each query the rows of `candidates` that are right.
    /// - Throws: `DataError` if there are no queries or a vector is not finite.
    package init(queries: Tensor<Float>, candidates: Tensor<Float>, answers: [[Int]], threads: Int = Parallel.availableThreads) throws {
        guard queries.rows > 0, answers.count == queries.rows else {
            throw DataError(
                .badData, "retrieval needs at least one query, and right answers for each; there are \(queries.rows) and \(answers.count)")
        }
        // A few more than ten, to see the equals of those at the end.
        let found = try CosineSearch(corpus: candidates, threads: threads).search(queries, top: 20)
        var first = 0, ten = 0, reciprocal = 0.0
        for query in 0..<found.queries {
            let right = Set(answers[query]), list = found[query]
            guard let place = list.firstIndex(where: { right.contains($0.row) }) else { continue }
            // Of equals the lower row comes first; a right answer is not favoured by standing above its equals.
            let rank = 1 + list.enumerated().count { !right.contains($1.row) && ($0 < place || $1.score == list[place].score) }
            guard rank <= 10 else { continue }
            ten += 1
            if rank == 1 { first += 1 }
            reciprocal += 1 / Double(rank)
        }
        self.queries = found.queries
        self.first = Double(first) / Double(found.queries)
        firstTen = Double(ten) / Double(found.queries)
        meanReciprocalRank = reciprocal / Double(found.queries)
    }
}

/// How often the nearest sentence is of the same group, as captions of one scene are.
package struct GroupEvaluation: Sendable, Equatable {
    /// Sentences asked about: those whose group has another member among the candidates.
    package let queries: Int
    /// Share of them whose nearest candidate is of their own group, in 0 ... 1.
    package let nearest: Double
    /// R-precision: of the R nearest candidates the share that is of the group, R being the number of its members there; averaged.
    package let precision: Double
    /// Mean silhouette of the sentences asked about among the candidates, by cosine distance, in −1 ... 1 (Rousseeuw 1987): (b − a) /
    /// max(a, b), a the mean distance to the own group and b that to the nearest other one. Nil if there is only one group, or askers and
    /// candidates differ.
    package let silhouette: Double?

    /// Whether any sentence of `from` has another one of its group in `to`.
    package static func canAsk(groups: [String], from: [Bool], to: [Bool]) -> Bool {
        var members: [String: Int] = [:]
        for row in groups.indices where to[row] { members[groups[row], default: 0] += 1 }
        return groups.indices.contains { from[$0] && (members[groups[$0]] ?? 0) > (to[$0] ? 1 : 0) }
    }

    /// - Parameters:
    ///   - vectors: (sentences, dimension).
    ///   - groups: one a sentence.
    ///   - from, to: which sentences are queries and which are candidates; a sentence is not a candidate for itself.
    /// - Throws: `DataError` if nothing can be asked, or a vector is not finite.
    package init<Source: RowSource>(
        vectors: Source, groups: [String], from: [Bool]? = nil, to: [Bool]? = nil, threads: Int = Parallel.availableThreads
    ) throws {
        let n = vectors.rows
        let from = from ?? Array(repeating: true, count: n), to = to ?? Array(repeating: true, count: n)
        guard groups.count == n, from.count == n, to.count == n else {
            throw DataError(.badData, "\(groups.count) groups were given for \(n) vectors")
        }
        var members: [String: Int] = [:]
        for row in 0..<n where to[row] { members[groups[row], default: 0] += 1 }
        let others = (0..<n).map { (members[groups[$0]] ?? 0) - (to[$0] ? 1 : 0) }
        let asked = (0..<n).map { from[$0] && others[$0] > 0 }
        guard let most = (0..<n).filter({ asked[$0] }).map({ others[$0] }).max() else {
            throw DataError(.badData, "no group has two sentences")
        }
        // One more than wanted: the sentence itself is found first.
        let found = try CosineSearch(corpus: vectors, valid: to, threads: threads).search(vectors, top: most + 1, queryValid: asked)
        var hits = 0, precision = 0.0
        for row in 0..<n where asked[row] {
            let answers = found[row].filter { $0.row != row }
            if let best = answers.first, groups[best.row] == groups[row] { hits += 1 }
            precision += Double(answers.prefix(others[row]).count { groups[$0.row] == groups[row] }) / Double(others[row])
        }
        queries = asked.count { $0 }
        nearest = Double(hits) / Double(queries)
        self.precision = precision / Double(queries)
        silhouette = from == to ? try Self.silhouette(vectors, groups, to, threads) : nil
    }

    /// In O(sentences · groups · dimension): the sum of cosines with a group is the product with the sum of its unit vectors.
    private static func silhouette<Source: RowSource>(
        _ vectors: Source, _ groups: [String], _ members: [Bool], _ threads: Int
    ) throws -> Double? {
        let d = vectors.columns
        var places: [String: Int] = [:], sums: [[Double]] = [], sizes: [Int] = [], counted = 0
        /// Unit vectors of the members, row by row; a vector of zeros has no direction and no distance to anything.
        func eachRow(_ body: (Int, UnsafePointer<Float>) -> Void) throws {
            for range in Parallel.chunks(vectors.rows, size: 8192) {
                try vectors.withRows(range) { base in
                    let block = Tensor(Array(UnsafeBufferPointer(start: base, count: range.count * d)), shape: [range.count, d])
                    normalizedRows(block, threads: threads).withUnsafeElements { unit in
                        for row in range where members[row] {
                            let line = unit + (row - range.lowerBound) * d
                            if (0..<d).contains(where: { line[$0] != 0 }) { body(row, line) }
                        }
                    }
                }
            }
        }
        try eachRow { row, unit in
            let place = places[groups[row]] ?? sums.count
            if place == sums.count {
                places[groups[row]] = place
                sums.append([Double](repeating: 0, count: d))
                sizes.append(0)
            }
            sizes[place] += 1
            counted += 1
            for i in 0..<d { sums[place][i] += Double(unit[i]) }
        }
        guard sums.count > 1 else { return nil }
        var total = 0.0
        try eachRow { row, unit in
            let own = places[groups[row]] ?? 0
            if sizes[own] == 1 { return }
            var inside = 0.0, outside = Double.infinity
            for place in sums.indices {
                var product = 0.0
                for i in 0..<d { product += Double(unit[i]) * sums[place][i] }
                // A row's cosine with itself is 1 and adds nothing to the distances within its group.
                let distance = (Double(sizes[place]) - product) / Double(place == own ? sizes[place] - 1 : sizes[place])
                if place == own { inside = distance } else { outside = min(outside, distance) }
            }
            let larger = max(inside, outside)
            if larger > 0 { total += (outside - inside) / larger }
        }
        return total / Double(counted)
    }
}
