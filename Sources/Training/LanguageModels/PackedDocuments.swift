import FileFormats
import Networks
import Tensors
import Tokenizers

/// Documents as one stream of tokens, cut into blocks of the context's length: every step computes as many tokens, and none is padding.
/// Inside a block documents are sequences of their own, so that none sees another.
package struct PackedDocuments: Sendable {
    /// Each document with its begin and end marks.
    private var documents = TokenStore()
    package let context: Int
    package private(set) var unknownTokens = 0

    /// Reads documents.
    ///
    /// - Parameters:
    ///   - begin, end: marks put around every document, where the tokenizer has such.
    ///   - limit: documents at most; 0 for all.
    /// - Throws: `DataError` if a file cannot be read or there is not a block to learn from.
    package init(files: [String], column: String, tokenizer: Tokenizer, begin: Int32?, end: Int32?, context: Int, limit: Int = 0) throws {
        self.context = context
        var scratch = TokenizerScratch(), ids: [Int32] = []
        for file in files {
            let table = try TextTable(path: file, wanted: [column])
            let place = try table.index(of: column)
            var cells: [String] = []
            while limit == 0 || documents.count < limit, try table.next(into: &cells) != nil {
                guard place < cells.count, !cells[place].allSatisfy(\.isWhitespace) else { continue }
                ids.removeAll(keepingCapacity: true)
                if let begin { ids.append(begin) }
                let found = cells[place].withUTF8 { tokenizer.appendIDs(of: $0, addsSpecialTokens: false, to: &ids, scratch: &scratch) }
                if let end { ids.append(end) }
                unknownTokens += found.unknowns
                documents.append(ids)
            }
        }
        guard documents.ids.count > 1 else { throw DataError(.badData, "no documents to train on", file: files.first) }
    }

    package var count: Int { documents.count }
    package var tokens: Int { documents.ids.count }
    /// In one pass over the documents; what is left over comes in another order next time.
    package var blocks: Int { max(1, tokens / context) }

    /// The documents of one pass in a random order, as a stream.
    func stream(_ random: RandomSource) -> DocumentStream {
        var random = random, stream = DocumentStream(context: context)
        for document in random.permutation(documents.count) { stream.append(documents[document]) }
        return stream
    }

    /// The documents in their own order, each cut into pieces of the context's length, in batches.
    func pieces(budget: Int) -> [PackedBatch] {
        var batches: [PackedBatch] = [], batch = PackedBatch()
        for document in 0..<documents.count {
            var rest = documents[document]
            while !rest.isEmpty {
                let piece = rest.prefix(context)
                if batch.tokens > 0, batch.tokens + piece.count > budget {
                    batches.append(batch)
                    batch = PackedBatch()
                }
                batch.append(piece)
                rest = rest.dropFirst(context)
            }
        }
        return batches + (batch.tokens > 0 ? [batch] : [])
    }
}

/// Tokens of documents one after the other, and where each begins.
struct DocumentStream: Sendable {
    private let context: Int
    private var ids: [Int32] = []
    private var starts: [Int] = []

    init(context: Int) { self.context = context }

    mutating func append(_ document: ArraySlice<Int32>) {
        starts.append(ids.count)
        ids += document
    }

    /// Adds a block to a batch: one sequence for each document in it.
    func append(block: Int, to batch: inout PackedBatch) {
        let end = min(ids.count, (block + 1) * context)
        var first = min(block * context, end)
        // The first document that begins behind the block's first token.
        var low = 0, high = starts.count
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] > first { high = middle } else { low = middle + 1 }
        }
        while first < end {
            let next = low < starts.count ? min(starts[low], end) : end
            batch.append(ids[first..<next])
            first = next
            low += 1
        }
    }
}

extension PackedBatch {
    /// What follows each token in its sequence, −1 for each sequence's last.
    var following: [Int32] {
        var targets = [Int32](ids.dropFirst()) + [-1]
        for end in offsets.dropFirst() where end > 0 { targets[Int(end) - 1] = -1 }
        return ids.isEmpty ? [] : targets
    }
}
