import FileFormats
import Tensors
import Tokenizers

/// Sentences as token ids, special tokens included, one after the other.
package struct TokenStore: Sendable {
    package private(set) var ids: [Int32] = []
    private var starts: [Int] = [0]

    package init() {}

    package var count: Int { starts.count - 1 }
    package subscript(sentence: Int) -> ArraySlice<Int32> { ids[starts[sentence]..<starts[sentence + 1]] }
    package func length(_ sentence: Int) -> Int { starts[sentence + 1] - starts[sentence] }

    package mutating func append(_ sentence: some Collection<Int32>) {
        ids += sentence
        starts.append(ids.count)
    }
}

/// The rows of one or several tables as token ids: what a task learns from, or a dev file.
package struct SentenceTable: Sendable {
    /// Sentences a row; row r has the sentences r × columns ..< (r + 1) × columns of `tokens`.
    package let columns: Int
    package private(set) var tokens = TokenStore()
    /// One a row, if there are scores.
    package private(set) var scores: [Double] = []
    package private(set) var rows = 0
    package private(set) var truncated = 0
    /// Rows left out for an empty sentence.
    package private(set) var empty = 0
    package private(set) var unknownTokens = 0
    /// The sentences of each column as they were read, where somebody asked for them; else empty.
    package private(set) var texts: [[String]]
    /// A number for each row's group, if there is a column of groups.
    package private(set) var groups: [Int] = []
    /// The word that each token belongs to, −1 for special tokens; beside `tokens`, where somebody asked for it.
    private var words: TokenStore?

    /// Reads tables.
    ///
    /// - Parameters:
    ///   - scoreRange: scores outside are an error.
    ///   - group: a column; rows with the same value belong together.
    ///   - keepsTextOf: columns whose text is kept (for a teacher).
    ///   - keepsWords: note which word each token belongs to (whole-word masking).
    ///   - limit: rows at most; 0 for all.
    /// - Throws: `DataError` that names file and line of an empty sentence, a missing or impossible score.
    package init(
        files: [String], columns names: [String], score: String? = nil, scoreRange: ClosedRange<Double>? = nil, group: String? = nil,
        tokenizer: Tokenizer, maxLength: Int, skipsEmpty: Bool = false, keepsTextOf kept: Set<Int> = [],
        keepsWords: Bool = false, limit: Int = 0
    ) throws {
        columns = names.count
        texts = names.map { _ in [] }
        var numbers: [String: Int] = [:]
        if keepsWords { words = TokenStore() }
        var scratch = TokenizerScratch(), ids: [Int32] = []
        for file in files {
            let table = try TextTable(path: file, wanted: names + [score, group].compactMap(\.self))
            let places = try names.map(table.index(of:)), scorePlace = try score.map(table.index(of:))
            let groupPlace = try group.map(table.index(of:))
            var cells: [String] = []
            while limit == 0 || rows < limit, let line = try table.next(into: &cells) {
                func fail(_ message: String) -> DataError { DataError(.badData, message, file: table.name, line: line) }
                if let missing = places.firstIndex(where: { $0 >= cells.count || cells[$0].allSatisfy(\.isWhitespace) }) {
                    guard skipsEmpty else {
                        throw fail("the sentence in column \(names[missing]) is empty; fill it in, remove the row, or set skip_empty")
                    }
                    empty += 1
                    continue
                }
                if let scorePlace {
                    guard scorePlace < cells.count, let value = Double(cells[scorePlace]), value.isFinite else {
                        throw fail(
                            "the score \"\(scorePlace < cells.count ? String(cells[scorePlace].prefix(40)) : "")\" in column "
                                + "\(score ?? "") is not a number")
                    }
                    if let scoreRange, !scoreRange.contains(value) {
                        throw fail("the score \(value) is outside \(scoreRange.lowerBound) … \(scoreRange.upperBound); set score_range")
                    }
                    scores.append(value)
                }
                if let groupPlace {
                    let name = groupPlace < cells.count ? cells[groupPlace] : "", number = numbers[name] ?? numbers.count
                    numbers[name] = number
                    groups.append(number)
                }
                for (column, place) in places.enumerated() {
                    if kept.contains(column) { texts[column].append(cells[place]) }
                    if keepsWords {
                        let encoding = try tokenizer.encode(cells[place], maxLength: maxLength)
                        truncated += encoding.overflow.isEmpty ? 0 : 1
                        tokens.append(encoding.ids)
                        words?.append(encoding.wordIDs.map { $0 ?? -1 })
                        continue
                    }
                    ids.removeAll(keepingCapacity: true)
                    let found = cells[place].withUTF8 { tokenizer.appendIDs(of: $0, maxLength: maxLength, to: &ids, scratch: &scratch) }
                    truncated += found.isTruncated ? 1 : 0
                    unknownTokens += found.unknowns
                    tokens.append(ids)
                }
                rows += 1
            }
        }
        guard rows > 0 else { throw DataError(.badData, "no rows to train on", file: files.first) }
    }

    package func sentence(row: Int, column: Int) -> ArraySlice<Int32> { tokens[row * columns + column] }

    /// A sentence, and the word that each of its tokens belongs to.
    func sentenceWithWords(row: Int, column: Int) -> (ids: [Int32], words: [Int32]?) {
        (Array(sentence(row: row, column: column)), words.map { Array($0[row * columns + column]) })
    }

    /// The texts were needed once only.
    mutating func forgetTexts() { texts = texts.map { _ in [] } }
}

/// Which rows a task takes in each step: all rows in a random order, then all again in another. The place is one number, so that a
/// checkpoint says everything.
package struct RowSampler: Sendable, Equatable {
    package let rows: Int
    package let batchSize: Int
    private let random: RandomSource
    /// Batches handed out.
    package private(set) var position: Int
    private var order: (epoch: Int, rows: [Int])?

    package static func == (a: RowSampler, b: RowSampler) -> Bool { a.position == b.position && a.random == b.random && a.rows == b.rows }

    package init(rows: Int, batchSize: Int, random: RandomSource, position: Int = 0) {
        self.rows = rows
        self.batchSize = min(batchSize, rows)
        self.random = random
        self.position = position
    }

    /// The same order, at another place.
    func moved(to position: Int) -> RowSampler { RowSampler(rows: rows, batchSize: batchSize, random: random, position: position) }

    /// Whole batches in one pass; rows left over come in another order next time.
    package var batchesPerEpoch: Int { max(1, rows / batchSize) }
    package var epoch: Double { Double(position) / Double(batchesPerEpoch) }

    package mutating func next() -> [Int] {
        let epoch = position / batchesPerEpoch, place = position % batchesPerEpoch
        if order?.epoch != epoch {
            var stream = random.split(UInt64(epoch))
            order = (epoch, stream.permutation(rows))
        }
        position += 1
        guard let shuffled = order?.rows else { return [] }
        return Array(shuffled[place * batchSize..<min(rows, (place + 1) * batchSize)])
    }
}
