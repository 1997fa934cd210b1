import Tensors

/// A sequence whose tokens are to be guessed.
package struct LanguageSequence: Sendable {
    /// As the encoder sees it, and the segment of every token.
    package var ids: [Int32], types: [Int32]
    /// Places that are guessed, and what is to be found there.
    package var places: [Int], originals: [Int32]
    /// Where next sentences are predicted: 0 for one that follows, 1 for one drawn at random.
    package var isRandom: Int32?
}

extension SentenceTable {
    /// What a language task makes of rows: each column a sequence of its own. Where next sentences are predicted, every sequence has two
    /// texts: with two columns the second follows the first, with one the next row follows.
    ///
    /// - Parameters:
    ///   - masking: nil for the next token, which is guessed everywhere.
    ///   - longest: tokens of a sequence; the rest of a second text is left out.
    package func languageSequences(
        rows chosen: [Int], of task: TrainingTask, masking: TokenMasking?, longest: Int, random: inout RandomSource
    ) -> [LanguageSequence] {
        let arePairs = task.predictsNextSentence && columns == 2
        var sequences: [LanguageSequence] = []
        for row in chosen {
            for column in 0..<(arePairs ? 1 : columns) {
                var (ids, words) = sentenceWithWords(row: row, column: column)
                var types = [Int32](repeating: 0, count: ids.count), isRandom: Int32?
                if task.predictsNextSentence, rows > 1 {
                    let follows = random.uniform() < 0.5
                    let next = follows ? (arePairs ? row : row + 1) : random.below(rows)
                    let (more, moreWords) = sentenceWithWords(row: min(next, rows - 1), column: arePairs ? 1 : column)
                    // Without its own [CLS], and within the length that the model takes.
                    let room = max(0, longest - ids.count)
                    ids += more.dropFirst().prefix(room)
                    types += [Int32](repeating: 1, count: ids.count - types.count)
                    let shift = (words?.max() ?? 0) + 1
                    words = words.map { $0 + (moreWords ?? []).dropFirst().prefix(room).map { $0 < 0 ? $0 : $0 + shift } }
                    isRandom = follows ? 0 : 1
                }
                let shown = (ids: ids, places: Array(ids.indices.dropLast()))
                let (given, places) = masking?.mask(ids, words: words, random: &random) ?? shown
                let ahead = masking == nil ? 1 : 0
                sequences.append(
                    LanguageSequence(
                        ids: given, types: types, places: places, originals: places.map { ids[$0 + ahead] }, isRandom: isRandom))
            }
        }
        return sequences
    }
}
