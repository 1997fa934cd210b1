import FileFormats
import Foundation
import Networks
import Synchronization
import Tensors
import Tokenizers

/// What a masked model puts into the holes of a text.
package struct Fill: Sendable {
    /// One hole of one text.
    package struct Hole: Sendable, Equatable {
        /// Range of UTF-8 in the text as the model read it.
        package var range: Range<Int>
        /// The most probable tokens, best first.
        package var candidates: [Candidate]
        /// Of the distribution, in nats.
        package var entropy: Double
    }

    /// A token for a hole.
    package struct Candidate: Sendable, Equatable {
        /// The token as the vocabulary spells it.
        package var token: String
        /// The token as text: no marks of spaces or of word pieces.
        package var text: String
        /// In 0 … 1.
        package var probability: Double
    }

    package let model: any LanguageModel
    package let mask: String

    /// - Throws: `DataError` of kind `usage` for a causal model, which has no mask token.
    package init(model: any LanguageModel) throws {
        guard model.kind == .masked, let id = model.maskID, let mask = model.tokenizer.token(for: id) else {
            throw DataError(
                .usage, "a \(model.kind.rawValue) model has no mask token to fill in; use generate or surprisal",
                file: model.name)
        }
        (self.model, self.mask) = (model, mask)
    }

    /// A text with the model's own mask token in place of the usual spellings, `[MASK]`, `<mask>` and ＿＿.
    package func prepared(_ text: String) -> String {
        ["[MASK]", "<mask>", "＿＿"].filter { $0 != mask }.reduce(text) { $0.replacingOccurrences(of: $1, with: mask) }
    }

    /// Fills all holes of the texts; several holes of one text are guessed each by itself, the others staying hidden.
    ///
    /// - Parameters:
    ///   - top: candidates of each hole.
    ///   - name: what errors call a text, as a line.
    /// - Throws: `DataError` for a text without a hole, or longer than the model reads.
    package func holes(
        in texts: [String], top: Int, batchTokens: Int, threads: Int, name: (Int) -> Int?, file: String?
    ) throws -> [[Hole]] {
        let encodings = try texts.enumerated().map { index, text in
            let encoding = try model.tokenizer.encode(prepared(text))
            guard encoding.ids.contains(where: { $0 == model.maskID }) else {
                throw DataError(.usage, "the text has no \(mask) to fill in", file: file, line: name(index))
            }
            guard encoding.count <= model.contextLength else {
                throw DataError(
                    .usage, "the text has \(encoding.count) tokens, but \(model.name) reads \(model.contextLength)", file: file,
                    line: name(index))
            }
            return encoding
        }
        let results = Mutex([[Hole]](repeating: [], count: texts.count))
        let work = PackedBatch.grouped(lengths: encodings.map(\.count), budget: batchTokens)
        Parallel.forEach(work.count, threads: threads) { index, _ in
            var batch = PackedBatch(), places: [(text: Int, token: Int, row: Int)] = []
            for text in work[index] {
                let encoding = encodings[text], start = batch.tokens
                for token in encoding.ids.indices where encoding.ids[token] == model.maskID { places.append((text, token, start + token)) }
                batch.append(encoding.ids, typeIDs: encoding.typeIDs.contains { $0 != 0 } ? encoding.typeIDs : nil)
            }
            for range in Parallel.chunks(places.count, size: 64) {
                let logits = model.logits(of: batch, at: places[range].map(\.row))
                logits.forEachRow { row, logits in
                    let place = places[range.lowerBound + row]
                    let hole = hole(logits, top: top, range: encodings[place.text].offsets[place.token])
                    results.withLock { $0[place.text].append(hole) }
                }
            }
        }
        return results.withLock { $0 }
    }

    private func hole(_ logits: UnsafeBufferPointer<Float>, top: Int, range: Range<Int>) -> Hole {
        let known = model.tokenizer.idBound
        // Ids beyond the tokenizer are padding of the matrix; they take part in the softmax, as in the reference, but are never returned.
        let best = (0..<min(known, logits.count)).sorted { (-logits[$0], $0) < (-logits[$1], $1) }.prefix(top)
        var entropy = 0.0
        let candidates = best.map { id -> Candidate in
            let score = TokenScore(logits: logits, target: id), token = model.tokenizer.token(for: Int32(id)) ?? "\(id)"
            entropy = score.entropy
            return Candidate(token: token, text: Self.plain(token, model.tokenizer, Int32(id)), probability: exp(score.logProbability))
        }
        return Hole(range: range, candidates: candidates, entropy: entropy)
    }

    private static func plain(_ token: String, _ tokenizer: Tokenizer, _ id: Int32) -> String {
        let decoded = tokenizer.decode([id], skipSpecialTokens: false).trimmingCharacters(in: .whitespaces)
        let text = decoded.hasPrefix("##") ? String(decoded.dropFirst(2)) : decoded
        return text.isEmpty || text.contains("\u{FFFD}") ? token : text
    }
}
