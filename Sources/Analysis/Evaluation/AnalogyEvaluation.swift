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
        // Two places for each question: the best answer and the next.
        var answers = [Int?](repeating: nil, count: 2 * cases.count)
        if rows.isEmpty { return [Int?](repeating: nil, count: cases.count) }
        var best = [Float](repeating: -.infinity, count: 2 * cases.count)
        let width = vectors.columns, question = vectors.selecting(rows), rowCount = vectors.rows, size = 1024
        let groups = Parallel.chunks(cases.count, size: 256)
        var products = [Float](repeating: 0, count: rows.count * size)
        vectors.withUnsafeElements { vectors in
            question.withUnsafeElements { question in
                products.withUnsafeMutableBufferPointer { products in
                    answers.withUnsafeMutableBufferPointer { answers in
                        best.withUnsafeMutableBufferPointer { best in
                            guard let productBase = products.baseAddress, let answerBase = answers.baseAddress,
                                let bestBase = best.baseAddress
                            else { return }
                            let table = Shared(productBase), answer = Shared(answerBase), top = Shared(bestBase), asked = Shared(question)
                            for block in Parallel.chunks(rowCount, size: size) {
                                let matrix = Float.pack(
                                    vectors + block.lowerBound * width, inputs: width, outputs: block.count, inputStride: 1,
                                    outputStride: width, precision: .f32)
                                let tiles = Parallel.chunks(rows.count, size: 64)
                                Parallel.forEach(tiles.count, threads: threads) { tile, _ in
                                    let first = tiles[tile].lowerBound
                                    Float.multiply(
                                        UnsafePointer(asked.pointer) + first * width, rows: tiles[tile].count, by: matrix, bias: nil,
                                        into: table.pointer + first * block.count)
                                }
                                Parallel.forEach(groups.count, threads: threads) { group, _ in
                                    Scratch.with(Float.self, count: block.count) { scores in
                                        for index in groups[group] {
                                            guard let item = cases[index] else { continue }
                                            score(item, table.pointer, block, method, into: scores)
                                            for key in [item.keys.0, item.keys.1, item.keys.2] {
                                                for row in rowsOfKey[key] where block.contains(row) {
                                                    scores[row - block.lowerBound] = -.infinity
                                                }
                                            }
                                            // The two best so far; which of them is first is settled in Double where they are close.
                                            for i in 0..<block.count where scores[i] > top.pointer[2 * index + 1] {
                                                let place = scores[i] > top.pointer[2 * index] ? 2 * index : 2 * index + 1
                                                if place == 2 * index {
                                                    top.pointer[place + 1] = top.pointer[place]
                                                    answer.pointer[place + 1] = answer.pointer[place]
                                                }
                                                top.pointer[place] = scores[i]
                                                answer.pointer[place] = block.lowerBound + i
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        return cases.indices.map { index in
            guard let item = cases[index], let first = answers[2 * index] else { return nil }
            guard let second = answers[2 * index + 1], best[2 * index] - best[2 * index + 1] < 1e-4 else { return first }
            let scores = [first, second].map { exactScore(of: $0, item, rows, vectors, method) }
            return scores[1] > scores[0] || scores[1] == scores[0] && second < first ? second : first
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

    private static func score(
        _ item: Case, _ products: UnsafeMutablePointer<Float>, _ block: Range<Int>, _ method: ArithmeticMethod,
        into scores: UnsafeMutablePointer<Float>
    ) {
        let n = block.count, a = products + item.places.0 * n, b = products + item.places.1 * n, c = products + item.places.2 * n
        // The sum of cosines orders words as the cosine with the sum does: the sum's length is the same for all of them.
        if method == .add {
            for i in 0..<n { scores[i] = b[i] - a[i] + c[i] }
        } else {
            for i in 0..<n { scores[i] = (1 + b[i]) * (1 + c[i]) / ((1 + a[i]) + 2 * ArithmeticMethod.epsilon) }
        }
    }
}
