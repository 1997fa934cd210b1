import Tensors

/// How many analogies word vectors solve: for "a is to b as c is to ?" the best word of all but a, b and c should be d.
package struct AnalogyEvaluation: Sendable {
    package struct Section: Sendable {
        package var name: String
        package var isSyntactic: Bool
        package var correct: Int
        /// Questions asked: those whose four words all have vectors.
        package var asked: Int
        /// Questions with a word that has none.
        package var skipped: Int
    }
    package var method: ArithmeticMethod
    package var sections: [Section]
    /// For each question, in the file's order: the answer's row, or nil if it was skipped.
    package var answers: [Int?]
    /// Whether each question asked was solved; nil if skipped.
    package var solved: [Bool?]

    package func total(syntactic: Bool? = nil) -> (correct: Int, asked: Int, skipped: Int) {
        sections.filter { syntactic == nil || $0.isSyntactic == syntactic }.reduce((0, 0, 0)) {
            ($0.0 + $1.correct, $0.1 + $1.asked, $0.2 + $1.skipped)
        }
    }

    private struct Case {
        /// Places of a, b and c among the question words, and keys of all four.
        var places: (Int, Int, Int)
        var keys: (Int, Int, Int, Int)
    }

    /// - Parameters:
    ///   - words, vectors: one row per word, the most frequent first: where two words differ in case alone, the first stands for both.
    ///   - isCaseSensitive: words match to the letter; otherwise upper and lower case are one, as in gensim and word2vec's
    ///     `compute-accuracy`.
    /// - Complexity: 2 · distinct question words · words · dimension operations and 3 · questions · words additions; memory for blocks
    ///   only.
    package init(
        _ questions: AnalogyQuestions, words: [String], vectors: Tensor<Float>, method: ArithmeticMethod = .add,
        isCaseSensitive: Bool = false,
        threads: Int = Parallel.availableThreads
    ) throws {
        precondition(words.count == vectors.rows)
        func folded(_ word: String) -> String { isCaseSensitive ? word : word.uppercased() }
        var keys: [String: Int] = [:], firstRows: [Int] = [], rowsOfKey: [[Int]] = [], keyOfRow: [Int] = []
        for (row, word) in words.enumerated() {
            let name = folded(word)
            if let key = keys[name] {
                rowsOfKey[key].append(row)
                keyOfRow.append(key)
            } else {
                keys[name] = firstRows.count
                keyOfRow.append(firstRows.count)
                firstRows.append(row)
                rowsOfKey.append([row])
            }
        }
        // Each distinct question word once.
        var places: [Int: Int] = [:], rows: [Int] = []
        func place(_ key: Int) -> Int {
            if let known = places[key] { return known }
            places[key] = rows.count
            rows.append(firstRows[key])
            return rows.count - 1
        }
        var cases: [Case?] = []
        for question in questions.sections.flatMap(\.questions) {
            guard let a = keys[folded(question.a)], let b = keys[folded(question.b)], let c = keys[folded(question.c)],
                let d = keys[folded(question.d)]
            else {
                cases.append(nil)
                continue
            }
            cases.append(Case(places: (place(a), place(b), place(c)), keys: (a, b, c, d)))
        }
        try checkFinite(vectors, "the word vectors")
        let found = Self.search(
            cases, rows: rows, rowsOfKey: rowsOfKey, vectors: normalizedRows(vectors, threads: threads), method: method, threads: threads)
        self.method = method
        answers = found
        solved = zip(cases, found).map { item, answer in item.map { item in answer.map { keyOfRow[$0] == item.keys.3 } ?? false } }
        sections = []
        var next = 0
        for section in questions.sections {
            let part = solved[next..<next + section.questions.count]
            next += section.questions.count
            sections.append(
                Section(
                    name: section.name, isSyntactic: section.isSyntactic, correct: part.count { $0 == true },
                    asked: part.count { $0 != nil }, skipped: part.count { $0 == nil }))
        }
    }

    private static func search(
        _ cases: [Case?], rows: [Int], rowsOfKey: [[Int]], vectors: Tensor<Float>, method: ArithmeticMethod, threads: Int
    ) -> [Int?] {
        if rows.isEmpty { return [Int?](repeating: nil, count: cases.count) }
        var best = [TwoBest](repeating: TwoBest(), count: cases.count)
        let asked = vectors.selecting(rows), groups = Parallel.chunks(cases.count, size: 256), tiles = Parallel.chunks(rows.count, size: 64)
        for block in Parallel.chunks(vectors.rows, size: 1024) {
            let matrix = Float.pack(vectors.view[rows: block], precision: .f32)
            var products = [Tensor<Float>(uninitialized: [rows.count, block.count])]
            let stretches = tiles.map { Stretch(tensor: 0, rows: $0, width: block.count) }
            Parallel.forEachStretch(stretches, of: &products, threads: threads) { tile, target in
                Float.multiply(ProductOperand(asked.view[rows: tiles[tile]], precision: .f32), by: matrix, into: &target)
            }
            let cosines = products[0], before = best
            best = Parallel.map(groups.count, threads: threads) { group, _ in
                var scores = [Float](repeating: 0, count: block.count)
                return groups[group].map { index in
                    var best = before[index]
                    guard let item = cases[index] else { return best }
                    score(item, cosines, method, into: &scores)
                    for key in [item.keys.0, item.keys.1, item.keys.2] {
                        for row in rowsOfKey[key] where block.contains(row) { scores[row - block.lowerBound] = -.infinity }
                    }
                    best.offer(scores, first: block.lowerBound)
                    return best
                }
            }.flatMap(\.self)
        }
        return zip(cases, best).map { item, best in
            guard let item, let first = best.rows.0 else { return nil }
            guard let second = best.rows.1, best.scores.0 - best.scores.1 < 1e-4 else { return first }
            let scores = [first, second].map { exactScore(of: $0, item, rows, vectors, method) }
            return scores[1] > scores[0] || scores[1] == scores[0] && second < first ? second : first
        }
    }

    /// The two best rows so far; which of them is first is settled in Double where they are close.
    private struct TwoBest: Sendable {
        var scores: (Float, Float) = (-.infinity, -.infinity)
        var rows: (Int?, Int?) = (nil, nil)

        /// - Parameter first: the row of the first score.
        mutating func offer(_ found: [Float], first: Int) {
            for (place, score) in found.enumerated() where score > scores.1 {
                if score > scores.0 {
                    (scores, rows) = ((score, scores.0), (first + place, rows.0))
                } else {
                    (scores.1, rows.1) = (score, first + place)
                }
            }
        }
    }

    /// The score of one row in Double: single precision cannot resolve near ties.
    private static func exactScore(of row: Int, _ item: Case, _ rows: [Int], _ vectors: Tensor<Float>, _ method: ArithmeticMethod) -> Double
    {
        let width = vectors.columns
        func cosine(_ place: Int) -> Double {
            vectors.withUnsafeElements { base in
                let x = base + row * width, y = base + rows[place] * width
                return Float.dot(x, y, count: width) / (Float.dot(x, x, count: width) * Float.dot(y, y, count: width)).squareRoot()
            }
        }
        let a = cosine(item.places.0), b = cosine(item.places.1), c = cosine(item.places.2)
        return method == .add ? b - a + c : (1 + b) * (1 + c) / (1 + a + 2 * Double(ArithmeticMethod.epsilon))
    }

    /// - Parameter cosines: of every question word with the rows of a block.
    private static func score(_ item: Case, _ cosines: Tensor<Float>, _ method: ArithmeticMethod, into scores: inout [Float]) {
        let n = cosines.columns
        cosines.withUnsafeElements { table in
            let a = table + item.places.0 * n, b = table + item.places.1 * n, c = table + item.places.2 * n
            // The sum of cosines orders words as the cosine with the sum does: the sum's length is the same for all of them.
            scores.withUnsafeMutableBufferPointer { scores in
                if method == .add {
                    for i in 0..<n { scores[i] = b[i] - a[i] + c[i] }
                } else {
                    for i in 0..<n { scores[i] = (1 + b[i]) * (1 + c[i]) / ((1 + a[i]) + 2 * ArithmeticMethod.epsilon) }
                }
            }
        }
    }
}
