import CKernels
import FileFormats
import Foundation
import Synchronization
import Tensors

/// Trains word vectors by word2vec's and fastText's objectives.
///
/// **The same bits with any number of threads.** A block of text is turned into examples (input row, output row, label), which are sorted
/// into P × P buckets by strata of their rows. In round r, bucket (p, p + r mod P) belongs to task p: no two tasks of a round share a row,
/// so all steps are plain sequential stochastic gradient descent in an order that only the seed decides (distributed SGD by strata:
/// Gemulla, Nijkamp, Haas & Sismanis 2011). Nothing is averaged, no gradient is late. Where an input is a mean of several rows (n-grams,
/// CBOW), the mean is the row for the length of a block, and what it moved is then added to its parts, stratum by stratum.
///
/// **Hogwild** (Recht, Ré, Wright & Niu 2011) is the racing way of the reference programs: threads write to the same rows without asking.
public final class WordTrainer: @unchecked Sendable {
    // The matrices are shared between threads: by strata as above, or under hogwild deliberately racing on single Floats.

    package let text: TrainingText
    package let options: WordTrainingOptions
    let input: PaddedMatrix
    let output: PaddedMatrix
    private let chunks: [Range<Int>]
    /// Words (not ends) before each chunk.
    private let tokensBefore: [Int]
    private let rules: ExampleRules
    private let serialRules: ExampleRules

    /// Epoch and chunk that come next.
    package private(set) var position = Position()
    package struct Position: Sendable, Equatable {
        package var epoch = 0
        package var chunk = 0
        package init(epoch: Int = 0, chunk: Int = 0) { (self.epoch, self.chunk) = (epoch, chunk) }
    }

    /// How far the work is.
    public struct Progress: Sendable {
        package var words: Int
        package var totalWords: Int
        package var learningRate: Double
        /// Mean loss per target of the last blocks.
        package var loss: Double
    }

    /// Strata, and so most threads that work at once without racing.
    package static let strata = 8
    private static let chunkWords = 4096
    /// Chunks in a block: shorter where the inputs are means, which stand still for the length of a block.
    private let blockChunks: Int

    /// - Throws: `DataError` if the options are impossible or there is not enough memory.
    public convenience init(text: TrainingText, options: WordTrainingOptions) throws {
        try self.init(text: text, options: options, blockChunks: nil)
    }

    /// - Parameter blockChunks: chunks in a block, for experiments; it decides the result.
    package init(text: TrainingText, options: WordTrainingOptions, blockChunks: Int?) throws {
        try options.check()
        self.blockChunks = blockChunks ?? (options.architecture == .cbow ? 1 : options.subwords.isEmpty ? 16 : 4)
        self.text = text
        self.options = options
        let words = text.vocabulary.count, rows = words + (options.subwords.isEmpty ? 0 : options.subwords.buckets)
        guard rows < Int(Int32.max), let input = PaddedMatrix(rows: rows, columns: options.dimension),
            let output = PaddedMatrix(rows: words, columns: options.dimension)
        else {
            throw DataError(
                .usage,
                "not enough memory for \(rows) rows of dimension \(options.dimension); lower \(Setting.buckets) or "
                    + "\(Setting.dimension)")
        }
        (self.input, self.output) = (input, output)
        rules = ExampleRules(vocabulary: text.vocabulary, options: options, strata: Self.strata)
        serialRules = ExampleRules(vocabulary: text.vocabulary, options: options, strata: 1)
        let size = options.architecture == .cbow ? Self.chunkWords / 4 : Self.chunkWords
        var chunks: [Range<Int>] = [], before: [Int] = [0], start = 0, words_ = 0, passed = 0
        for i in 0..<text.ids.count {
            if i - passed == TrainingText.span {
                text.passed(passed..<i)
                passed = i
            }
            guard text.ids[i] == TrainingText.end else {
                words_ += 1
                continue
            }
            if i + 1 - start >= size || i + 1 == text.ids.count {
                chunks.append(start..<i + 1)
                before.append(words_)
                start = i + 1
            }
        }
        self.chunks = chunks
        tokensBefore = before
        initialize()
    }

    /// Inputs uniform in ±1/d, as in fastText and gensim; word2vec.c's ±1/(2 d) gives worse syntactic analogies after a short training.
    /// Outputs zero.
    private func initialize() {
        let source = RandomSource(seed: options.seed), width = 2 / Float(options.dimension)
        let pieces = Parallel.chunks(input.rows, size: 4096)
        Parallel.forEach(pieces.count) { piece, _ in
            var random = source.split(0x1_0000_0000 + UInt64(piece))
            for row in pieces[piece] {
                let values = self.input.row(row)
                for i in 0..<self.options.dimension { values[i] = (Float(random.next() >> 40) * 0x1p-24 - 0.5) * width }
            }
        }
    }

    private var wordsPerEpoch: Int { tokensBefore[tokensBefore.count - 1] }
    package var totalWords: Int { wordsPerEpoch * options.epochs }
    private func wordsDone(_ position: Position) -> Int { position.epoch * wordsPerEpoch + tokensBefore[position.chunk] }
    func canBegin(at position: Position) -> Bool {
        (0..<options.epochs).contains(position.epoch) && (0..<chunks.count).contains(position.chunk)
    }
    func begin(at position: Position) { self.position = position }
    package var isFinished: Bool { position.epoch >= options.epochs }

    private func rate(_ position: Position) -> Float {
        let rate = options.effectiveLearningRate, share = Double(wordsDone(position)) / Double(max(1, totalWords))
        return Float(max(rate * 1e-4, rate * (1 - share)))
    }

    private func seed(_ position: Position) -> UInt64 {
        var source = RandomSource(seed: options.seed).split(UInt64(position.epoch)).split(UInt64(position.chunk))
        return source.next()
    }

    /// Trains to the end, or until `isCancelled` returns true between two blocks; `position` then says where to resume.
    ///
    /// - Parameters:
    ///   - threads: does not decide the result, unless `isHogwild`.
    ///   - checkpoint: called between blocks now and then; throwing ends the work.
    public func train(
        threads: Int = Parallel.availableThreads, isHogwild: Bool = false, isCancelled: () -> Bool = { false },
        checkpoint: () throws -> Void = {},
        progress: (Progress) -> Void = { _ in }
    ) throws {
        let size = isHogwild ? max(16, 4 * threads) : blockChunks
        let buffers = (0..<(isHogwild ? threads : size)).map { _ in ExampleChunk(rules: isHogwild ? serialRules : rules) }
        let workspace = BlockWorkspace(words: text.vocabulary.count)
        var loss = 0.0, lossWeight = 0.0
        while !isFinished {
            let block = position.chunk..<min(chunks.count, position.chunk + size)
            let measured = isHogwild ? hogwild(block, buffers, threads) : strata(block, buffers, workspace, threads)
            if measured.count > 0 {
                loss = 0.95 * loss + 0.05 * measured.sum
                lossWeight = 0.95 * lossWeight + 0.05 * measured.count
            }
            text.passed(chunks[block.lowerBound].lowerBound..<chunks[block.upperBound - 1].upperBound)
            position.chunk = block.upperBound
            if position.chunk == chunks.count { position = Position(epoch: position.epoch + 1) }
            progress(
                Progress(
                    words: isFinished ? totalWords : wordsDone(position), totalWords: totalWords,
                    learningRate: Double(isFinished ? rate(Position(epoch: options.epochs - 1, chunk: chunks.count)) : rate(position)),
                    loss: lossWeight > 0 ? loss / lossWeight : 0))
            if isFinished { break }
            try checkpoint()
            if isCancelled() { return }
        }
    }

    private func ids(_ chunk: Int) -> UnsafeBufferPointer<UInt32> { UnsafeBufferPointer(rebasing: text.ids[chunks[chunk]]) }

    // MARK: By strata

    /// Inputs that are means, for the length of a block.
    private final class BlockWorkspace: @unchecked Sendable {
        // Sendable: the thread that trains changes it between rounds; the tasks of a round read it and write rows of `means` of their own.
        var slotOfWord: [Int32]
        var starts: [Int64] = [0]
        var parts: [UInt32] = []
        var words: [UInt32] = []
        var means: PaddedMatrix?
        var before: PaddedMatrix?

        init(words: Int) { slotOfWord = [Int32](repeating: -1, count: words) }

        func reserve(_ slots: Int, columns: Int) {
            if (means?.rows ?? 0) < slots {
                means = PaddedMatrix(rows: slots * 3 / 2, columns: columns)
                before = PaddedMatrix(rows: slots * 3 / 2, columns: columns)
            }
        }
    }

    private func strata(
        _ block: Range<Int>, _ buffers: [ExampleChunk], _ workspace: BlockWorkspace, _ threads: Int
    ) -> (sum: Double, count: Double) {
        let epoch = position.epoch, first = block.lowerBound
        Parallel.forEach(block.count, threads: threads) { i, _ in
            buffers[i].fill(self.ids(first + i), random: self.seed(Position(epoch: epoch, chunk: first + i)))
        }
        let rates = block.map { rate(Position(epoch: epoch, chunk: $0)) }
        let isMean = options.architecture == .cbow || rules.grams != nil
        var slotBase = [Int](repeating: 0, count: block.count + 1)
        if isMean { gather(block.count, buffers, workspace, &slotBase, threads) }
        // The loss of one chunk in about sixteen is measured.
        let measuresFirst = (block.lowerBound / blockChunks) % max(1, 16 / blockChunks) == 0
        let count = Self.strata, bases = slotBase, isCBOW = options.architecture == .cbow
        let losses = Mutex([Double](repeating: 0, count: 2 * count))
        let group = Int64(options.group), limit = options.limit, skips: Int32 = options.skipsCertain ? 1 : 0
        let width = Int64(input.stride)
        for round in 0..<count {
            Parallel.forEach(count, threads: threads) { task, _ in
                let outputs = (task + round) % count
                var sum = 0.0, targets = 0
                for chunk in 0..<block.count {
                    let measures = measuresFirst && chunk == 0
                    // CBOW's occurrences have no strata of their own: a task takes every so-manieth of them.
                    let bucket = buffers[chunk].bucket(input: isCBOW ? 0 : task, output: outputs)
                    let numbers = UnsafePointer(bucket.base), end = numbers + bucket.count
                    var at = numbers
                    while at < end {
                        let head = Int(at[0]), size = Int(at[1])
                        let run = at + 2
                        at = run + size
                        let x: UnsafeMutablePointer<Float>
                        if !isMean {
                            x = self.input.row(head)
                        } else if isCBOW {
                            if head % count != task { continue }
                            x = workspace.means!.row(bases[chunk] + head)
                        } else {
                            x = workspace.means!.row(Int(workspace.slotOfWord.withUnsafeBufferPointer { $0[head] }))
                        }
                        sum += kt_words_step(
                            x, self.output.base, width, run, Int64(size), group, rates[chunk], limit, skips, measures ? 1 : 0)
                        if measures { targets += size }
                    }
                }
                if measuresFirst {
                    let (sum, targets) = (sum, targets)
                    losses.withLock {
                        // One task, one place: the order of additions is that of the rounds.
                        $0[2 * task] += sum
                        $0[2 * task + 1] += Double(targets)
                    }
                }
            }
        }
        if isMean { spread(workspace, threads) }
        guard measuresFirst else { return (0, 0) }
        let all = losses.withLock { $0 }
        return (
            stride(from: 0, to: 2 * count, by: 2).reduce(0) { $0 + all[$1] },
            stride(from: 1, to: 2 * count, by: 2).reduce(0) { $0 + all[$1] }
        )
    }

    /// Makes the means that stand for the inputs of this block.
    private func gather(_ chunkCount: Int, _ buffers: [ExampleChunk], _ workspace: BlockWorkspace, _ slotBase: inout [Int], _ threads: Int)
    {
        workspace.starts.removeAll(keepingCapacity: true)
        workspace.starts.append(0)
        workspace.parts.removeAll(keepingCapacity: true)
        if options.architecture == .cbow {
            for chunk in 0..<chunkCount {
                let buffer = buffers[chunk], offset = workspace.parts.count
                workspace.parts.append(contentsOf: UnsafeBufferPointer(start: buffer.contexts.base, count: buffer.contexts.count))
                for end in buffer.contextStarts.dropFirst() { workspace.starts.append(Int64(offset + end)) }
                slotBase[chunk + 1] = workspace.starts.count - 1
            }
        } else if let grams = rules.grams {
            for word in workspace.words { workspace.slotOfWord[Int(word)] = -1 }
            workspace.words.removeAll(keepingCapacity: true)
            for chunk in 0..<chunkCount {
                for word in UnsafeBufferPointer(start: buffers[chunk].centres.base, count: buffers[chunk].centres.count)
                where workspace.slotOfWord[Int(word)] < 0 {
                    workspace.slotOfWord[Int(word)] = Int32(workspace.words.count)
                    workspace.words.append(word)
                    workspace.parts.append(
                        contentsOf: UnsafeBufferPointer(start: grams.rows(of: Int(word)), count: grams.count(of: Int(word))))
                    workspace.starts.append(Int64(workspace.parts.count))
                }
            }
        }
        let slots = workspace.starts.count - 1
        workspace.reserve(slots, columns: options.dimension)
        guard let means = workspace.means, let before = workspace.before else { preconditionFailure("no memory for a block of text") }
        let pieces = Parallel.chunks(slots, size: 128), width = Int64(input.stride)
        Parallel.forEach(pieces.count, threads: threads) { piece, _ in
            workspace.parts.withUnsafeBufferPointer { parts in
                for slot in pieces[piece] {
                    let start = Int(workspace.starts[slot])
                    kt_words_mean(
                        self.input.base, width, parts.baseAddress! + start, workspace.starts[slot + 1] - Int64(start), means.row(slot))
                }
                let first = pieces[piece].lowerBound
                before.row(first).update(from: means.row(first), count: pieces[piece].count * means.stride)
            }
        }
    }

    /// Adds what each mean moved to all of its parts, as the references add the gradient of a mean to each of its rows undivided.
    private func spread(_ workspace: BlockWorkspace, _ threads: Int) {
        guard let means = workspace.means, let before = workspace.before else { return }
        let slots = Int64(workspace.starts.count - 1), width = Int64(input.stride)
        Parallel.forEach(Self.strata, threads: threads) { residue, _ in
            kt_words_scatter(
                self.input.base, width, workspace.parts, workspace.starts, slots, UInt32(residue), UInt32(Self.strata - 1), means.base,
                before.base)
        }
    }

    // MARK: Hogwild

    private func hogwild(_ block: Range<Int>, _ buffers: [ExampleChunk], _ threads: Int) -> (sum: Double, count: Double) {
        let epoch = position.epoch, first = block.lowerBound
        let group = Int64(options.group), limit = options.limit, skips: Int32 = options.skipsCertain ? 1 : 0
        let width = Int64(input.stride), isCBOW = options.architecture == .cbow
        let losses = Mutex((0.0, 0.0))
        Parallel.forEach(block.count, threads: threads) { item, worker in
            let buffer = buffers[worker], place = Position(epoch: epoch, chunk: first + item)
            buffer.fill(self.ids(first + item), random: self.seed(place))
            let rate = self.rate(place), measures = (first + item) % 32 == 0
            let bucket = buffer.bucket(input: 0, output: 0)
            var at = UnsafePointer(bucket.base), sum = 0.0, targets = 0
            let end = at + bucket.count
            Scratch.with(Float.self, count: 2 * self.input.stride) { mean in
                let before = mean + self.input.stride
                while at < end {
                    let head = Int(at[0]), size = Int(at[1]), run = at + 2
                    at = run + size
                    var parts: UnsafePointer<UInt32>?, count = 0
                    if isCBOW {
                        parts = UnsafePointer(buffer.contexts.base) + buffer.contextStarts[head]
                        count = buffer.contextStarts[head + 1] - buffer.contextStarts[head]
                    } else if let grams = self.rules.grams {
                        parts = grams.rows(of: head)
                        count = grams.count(of: head)
                    }
                    if let parts {
                        kt_words_mean(self.input.base, width, parts, Int64(count), mean)
                        before.update(from: mean, count: self.input.stride)
                        sum += kt_words_step(mean, self.output.base, width, run, Int64(size), group, rate, limit, skips, measures ? 1 : 0)
                        kt_words_spread(self.input.base, width, parts, Int64(count), mean, before)
                    } else {
                        sum += kt_words_step(
                            self.input.row(head), self.output.base, width, run, Int64(size), group, rate, limit, skips, measures ? 1 : 0)
                    }
                    if measures { targets += size }
                }
            }
            if measures {
                let (sum, targets) = (sum, targets)
                losses.withLock { $0 = ($0.0 + sum, $0.1 + Double(targets)) }
            }
        }
        return losses.withLock { ($0.0, $0.1) }
    }

    // MARK: Results

    /// The vectors as everything else reads them: with n-grams the mean of a word's own row and theirs.
    public func table(name: String) throws -> WordTable {
        if options.subwords.isEmpty {
            let vectors = input.tensor()
            try checkFinite(vectors)
            return WordTable(name: name, words: text.vocabulary.words, counts: text.vocabulary.counts, vectors: vectors)
        }
        return try model().table(name: name)
    }

    /// The whole model, as fastText keeps it.
    package func model() throws -> FastTextModel {
        let input = input.tensor(), output = output.tensor()
        try checkFinite(input)
        let arguments = FastTextModel.Arguments(
            dimension: Int32(options.dimension), window: Int32(options.window), epochs: Int32(options.epochs), minimumCount: 1,
            negatives: Int32(options.negatives),
            wordNgrams: 1, loss: options.loss == .negativeSampling ? .negativeSampling : .hierarchicalSoftmax,
            architecture: options.architecture == .cbow ? .cbow : .skipGram,
            buckets: Int32(options.subwords.isEmpty ? 0 : options.subwords.buckets),
            minimumN: Int32(options.subwords.isEmpty ? 0 : options.subwords.minimum),
            maximumN: Int32(options.subwords.isEmpty ? 0 : options.subwords.maximum),
            learningRateUpdate: 100, subsample: options.subsample)
        return FastTextModel(
            arguments: arguments, words: text.vocabulary.words, counts: text.vocabulary.counts, tokens: text.vocabulary.tokens,
            input: input, output: output)
    }

    private func checkFinite(_ vectors: Tensor<Float>) throws {
        let isFine = vectors.withUnsafeElements { Float.allFinite($0, count: vectors.count) }
        guard isFine else {
            throw DataError(
                .badData,
                "training diverged: vectors contain NaN or infinity. Lower \(Setting.learningRate), or raise \(Setting.minimumCount) for a small text"
            )
        }
    }
}
