import Foundation
import Tensors

/// Numbers that grow at the end; memory is kept between uses.
struct NumberBuffer {
    private(set) var base: UnsafeMutablePointer<UInt32>
    private(set) var count = 0
    private var capacity: Int

    init(capacity: Int = 256) {
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }
    func deallocate() { base.deallocate() }
    mutating func removeAll() { count = 0 }

    @inline(__always) mutating func reserve(_ more: Int) { if count + more > capacity { grow(more) } }
    @inline(__always) mutating func append(_ value: UInt32) {
        if count == capacity { grow(1) }
        base[count] = value
        count += 1
    }
    mutating func append(_ values: UnsafePointer<UInt32>, count more: Int) {
        reserve(more)
        (base + count).update(from: values, count: more)
        count += more
    }
    private mutating func grow(_ more: Int) {
        let larger = max(capacity * 2, count + more), new = UnsafeMutablePointer<UInt32>.allocate(capacity: larger)
        new.update(from: base, count: count)
        base.deallocate()
        (base, capacity) = (new, larger)
    }
}

/// The input rows of each word: its own and those of its n-grams.
final class GramRows: Sendable {
    private let starts: [Int]
    private let parts: TensorStorage<UInt32>

    init(starts: [Int], parts: [UInt32]) {
        self.starts = starts
        self.parts = TensorStorage(parts)
    }

    func count(of word: Int) -> Int { starts[word + 1] - starts[word] }
    /// Valid as long as this object.
    func rows(of word: Int) -> UnsafePointer<UInt32> { UnsafePointer(parts.elements + starts[word]) }
}

/// What the examples of a text depend on: the same for all threads.
struct ExampleRules: Sendable {
    let options: WordTrainingOptions
    /// Probability of keeping each word, as a 32-bit fraction.
    let keep: [UInt32]
    let noise: AliasTable?
    let tree: HuffmanTree?
    /// Rows of the input matrix that make up each word: `parts[starts[w] ..< starts[w + 1]]`; nil if each word is its own row alone.
    let grams: GramRows?
    /// Which of the strata a word's input and each output row belong to.
    let inputStratum: [UInt8]
    let outputStratum: [UInt8]
    let strata: Int

    init(vocabulary: Vocabulary, options: WordTrainingOptions, strata: Int) {
        self.options = options
        self.strata = strata
        let n = vocabulary.count
        let kept = vocabulary.keepProbabilities(options.subsample)
        keep = kept.map { UInt32(min(Double(UInt32.max), $0 * 0x1p32)) }
        let frequency = zip(vocabulary.counts, kept).map { Double($0) * $1 }, total = frequency.reduce(0, +)
        var outputLoad: [Double]
        switch options.loss {
        case .negativeSampling:
            let weights = vocabulary.counts.map { pow(Double($0), options.exponent) }, sum = weights.reduce(0, +)
            noise = AliasTable(weights: weights)
            tree = nil
            outputLoad = (0..<n).map { frequency[$0] / total + Double(options.negatives) * weights[$0] / sum }
        case .hierarchicalSoftmax:
            noise = nil
            let tree = HuffmanTree(counts: vocabulary.counts)
            outputLoad = [Double](repeating: 0, count: n)
            for word in 0..<n {
                for step in tree.path[tree.starts[word]..<tree.starts[word + 1]] { outputLoad[Int(step >> 1)] += frequency[word] }
            }
            self.tree = tree
        }
        inputStratum = Self.balanced(frequency, strata)
        outputStratum = Self.balanced(outputLoad, strata)
        if options.subwords.isEmpty {
            grams = nil
        } else {
            var starts = [0], parts: [UInt32] = []
            for word in 0..<n {
                parts.append(UInt32(word))
                for bucket in options.subwords.buckets(of: vocabulary.words.bytes(of: word)) { parts.append(UInt32(n + bucket)) }
                starts.append(parts.count)
            }
            grams = GramRows(starts: starts, parts: parts)
        }
    }

    /// Each item goes to the stratum with the least load so far, the heaviest first.
    private static func balanced(_ load: [Double], _ strata: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: load.count)
        if strata == 1 { return result }
        var sums = [Double](repeating: 0, count: strata)
        for item in load.indices.sorted(by: { (-load[$0], $0) < (-load[$1], $1) }) {
            var least = 0
            for stratum in 1..<strata where sums[stratum] < sums[least] { least = stratum }
            result[item] = UInt8(least)
            // Unused items are spread too.
            sums[least] += max(load[item], 1e-12)
        }
        return result
    }
}

/// The examples of one chunk of text, sorted into buckets by the strata of their input and output rows.
///
/// A bucket is a sequence of runs: the input's number, the number of targets, the targets (2 · row + label). Inputs are words, or for CBOW
/// occurrences, counted within the chunk, whose context is in `contexts`.
final class ExampleChunk: @unchecked Sendable {
    // Filled by one thread at a time, read by others only afterwards.
    private let rules: ExampleRules
    private(set) var buckets: [NumberBuffer]
    /// CBOW: rows whose mean predicts; occurrence i has `contextStarts[i] ..< contextStarts[i + 1]`.
    private(set) var contexts = NumberBuffer()
    private(set) var contextStarts: [Int] = [0]
    /// Different centre words in order of appearance, repeats included; for n-grams.
    private(set) var centres = NumberBuffer()
    /// Words kept.
    private(set) var kept = 0
    private var sentence = NumberBuffer()
    private let pending: UnsafeMutablePointer<UInt32>
    private let pendingCounts: UnsafeMutablePointer<Int>
    private let pendingCapacity: Int

    init(rules: ExampleRules) {
        self.rules = rules
        let strata = rules.strata
        buckets = (0..<strata * strata).map { _ in NumberBuffer() }
        let options = rules.options
        let perPair = options.loss == .negativeSampling ? 1 + options.negatives : 64
        pendingCapacity = perPair * 2 * (options.architecture == .cbow ? 1 : options.window)
        pending = .allocate(capacity: strata * pendingCapacity)
        pendingCounts = .allocate(capacity: strata)
        pendingCounts.initialize(repeating: 0, count: strata)
    }

    deinit {
        for bucket in buckets { bucket.deallocate() }
        for buffer in [contexts, centres, sentence] { buffer.deallocate() }
        pending.deallocate()
        pendingCounts.deallocate()
    }

    func bucket(input: Int, output: Int) -> NumberBuffer { buckets[input * rules.strata + output] }

    /// Draws the examples of these numbers of words.
    func fill(_ ids: UnsafeBufferPointer<UInt32>, random seed: UInt64) {
        for i in buckets.indices { buckets[i].removeAll() }
        contexts.removeAll()
        centres.removeAll()
        contextStarts.removeAll(keepingCapacity: true)
        contextStarts.append(0)
        kept = 0
        var random = seed
        rules.keep.withUnsafeBufferPointer { keep in
            var start = 0
            for i in 0..<ids.count where ids[i] == TrainingText.end {
                sentence.removeAll()
                for place in start..<i {
                    let word = ids[place], share = keep[Int(word)]
                    if share == .max || UInt32(truncatingIfNeeded: Self.next(&random) >> 32) <= share { sentence.append(word) }
                }
                start = i + 1
                kept += sentence.count
                examples(&random)
            }
        }
    }

    /// SplitMix64.
    @inline(__always) private static func next(_ state: inout UInt64) -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    private func examples(_ random: inout UInt64) {
        let options = rules.options, words = UnsafePointer(sentence.base), count = sentence.count
        for centre in 0..<count {
            let reach = 1 + Int(((Self.next(&random) >> 32) &* UInt64(options.window)) >> 32)
            let low = max(0, centre - reach), high = min(count - 1, centre + reach)
            if low == high { continue }
            if options.architecture == .cbow {
                for place in low...high where place != centre {
                    let word = Int(words[place])
                    if let grams = rules.grams {
                        contexts.append(grams.rows(of: word), count: grams.count(of: word))
                    } else {
                        contexts.append(words[place])
                    }
                }
                let occurrence = contextStarts.count - 1
                contextStarts.append(contexts.count)
                target(words[centre], &random)
                flush(input: UInt32(occurrence), stratum: 0)
            } else {
                for place in low...high where place != centre { target(words[place], &random) }
                centres.append(words[centre])
                flush(input: words[centre], stratum: Int(rules.inputStratum[Int(words[centre])]))
            }
        }
    }

    /// One word to be predicted: the word and its noise, or its path.
    @inline(__always) private func target(_ word: UInt32, _ random: inout UInt64) {
        if let noise = rules.noise {
            put(word << 1 | 1, row: word)
            for _ in 0..<rules.options.negatives {
                let other = noise.draw(Self.next(&random))
                if other != word { put(other << 1, row: other) }
            }
        } else if let tree = rules.tree {
            for step in tree.path[tree.starts[Int(word)]..<tree.starts[Int(word) + 1]] { put(step, row: step >> 1) }
        }
    }

    @inline(__always) private func put(_ target: UInt32, row: UInt32) {
        let stratum = rules.outputStratum.withUnsafeBufferPointer { Int($0[Int(row)]) }
        // A path can have at most as many steps as there is room for; 64 is more than counts of 64 bits allow.
        pending[stratum * pendingCapacity + pendingCounts[stratum]] = target
        pendingCounts[stratum] += 1
    }

    private func flush(input: UInt32, stratum: Int) {
        for output in 0..<rules.strata where pendingCounts[output] > 0 {
            let count = pendingCounts[output], bucket = stratum * rules.strata + output
            buckets[bucket].reserve(count + 2)
            buckets[bucket].append(input)
            buckets[bucket].append(UInt32(count))
            buckets[bucket].append(pending + output * pendingCapacity, count: count)
            pendingCounts[output] = 0
        }
    }
}
