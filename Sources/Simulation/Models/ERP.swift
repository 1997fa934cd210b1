import FileFormats
import Foundation
import Statistics
import Tensors

/// The N400 and its repetition effect as postsynaptic potentials of a small reading network.
///
/// After Laszlo & Armstrong (2014), Brain and Language 132, 22–27, and Laszlo & Plaut (2012): a unit's contribution to the scalp potential
/// is not its activation but its activation in the envelope of an alpha function, α(t) = (e/T) t e^(−t/T), which rises to 1 at T and falls
/// again. Excitation and inhibition come from separate units: excitatory weights stay positive, inhibitory ones negative. A unit that has
/// fired is depleted for a while, so that a second presentation of the same string evokes less.
///
/// The network is not theirs: its strings come from a corpus of the user's, its sizes and time constants are set here. What it is asked for
/// is the shape: a peak, its decline, and less activation at repetition.
package struct ERPModel: Sendable {
    /// Milliseconds of a time step, of a presentation, and between the onsets of the two.
    package var step = 10.0, duration = 1000.0, onsetAsynchrony = 2000.0
    /// Milliseconds: T of hidden and of semantic units, and what semantic units begin later.
    package var hiddenPeak = 150.0, semanticPeak = 300.0, semanticDelay = 100.0
    /// Cascade rate per step.
    package var rate = 0.2
    /// How much of its resource a unit at full output uses per second, and the milliseconds in which the resource comes back.
    package var depletion = 1.0, recovery = 4000.0
    package var network: ReadingNetwork

    package init(network: ReadingNetwork) { self.network = network }

    /// The alpha function: 0 before 0, peak 1 at T.
    package static func alpha(_ time: Double, peak: Double) -> Double { time <= 0 ? 0 : time / peak * exp(1 - time / peak) }

    /// Mean semantic potential over time of the first and the second presentation of one string.
    package func potentials(_ letters: String) -> (first: [Double], second: [Double]) {
        let n = network, steps = Int(duration / step), pause = max(0, Int((onsetAsynchrony - duration) / step))
        var resources = [[Double](repeating: 1, count: n.hidden), [Double](repeating: 1, count: n.semantics)]
        func recover(_ steps: Int) {
            let rest = exp(-Double(steps) * step / recovery)
            for layer in resources.indices {
                for u in resources[layer].indices { resources[layer][u] = 1 - (1 - resources[layer][u]) * rest }
            }
        }
        func present() -> [Double] {
            // From rest: nothing shown, net inputs at their biases.
            let input = n.input(letters)
            var averages = n.restingNets(), curve: [Double] = []
            for k in 0..<steps {
                let time = Double(k) * step
                let envelopes = [Self.alpha(time, peak: hiddenPeak), Self.alpha(time - semanticDelay, peak: semanticPeak)]
                let hidden = n.settle(&averages, input: input, rate: rate)
                let semantic = n.semanticActivation(averages)
                var sum = 0.0
                for (layer, activation) in [hidden, semantic].enumerated() {
                    for u in activation.indices {
                        let output = activation[u] * envelopes[layer] * resources[layer][u]
                        resources[layer][u] = max(0, resources[layer][u] - output * depletion * step / 1000)
                        if layer == 1 { sum += output }
                    }
                }
                curve.append(sum / Double(n.semantics))
                recover(1)
            }
            return curve
        }
        let first = present()
        recover(pause)
        return (first, present())
    }

    /// Amplitudes of a curve's oscillations, by Fourier sums: frequencies k / duration for k = 0, 1, … up to `limit` hertz.
    package func spectrum(_ curve: [Double], limit: Double = 20) -> [(hertz: Double, amplitude: Double)] {
        let seconds = Double(curve.count) * step / 1000
        return (0...Int(min(limit * seconds, Double(curve.count / 2)))).map { k in
            var (real, imaginary) = (0.0, 0.0)
            for (t, value) in curve.enumerated() {
                let angle = 2 * Double.pi * Double(k * t) / Double(curve.count)
                real += value * cos(angle)
                imaginary -= value * sin(angle)
            }
            let scale = k == 0 ? 1 : 2.0
            return (Double(k) / seconds, scale * (real * real + imaginary * imaginary).squareRoot() / Double(curve.count))
        }
    }

    /// Mean curves of one kind of string, with standard errors of the peak over strings.
    package struct Condition: Sendable {
        package var kind: ERPLexicon.Kind
        package var strings: Int
        package var first: [Double], second: [Double]
        package var firstPeak: Double, secondPeak: Double
        /// Mean difference of the peaks over strings, and its standard error.
        package var effect: Double, effectError: Double
    }

    package func simulate(_ lexicon: ERPLexicon) -> [Condition] {
        ERPLexicon.Kind.allCases.compactMap { kind in
            let strings = lexicon.strings[kind] ?? []
            guard !strings.isEmpty else { return nil }
            let curves = strings.map(potentials), n = Double(curves.count)
            func average(_ all: [[Double]]) -> [Double] { all[0].indices.map { t in all.reduce(0) { $0 + $1[t] } / n } }
            let first = average(curves.map(\.first)), second = average(curves.map(\.second))
            let effects = curves.map { ($0.first.max() ?? 0) - ($0.second.max() ?? 0) }
            return Condition(
                kind: kind, strings: strings.count, first: first, second: second, firstPeak: first.max() ?? 0,
                secondPeak: second.max() ?? 0,
                effect: mean(effects), effectError: (variance(effects) / n).squareRoot())
        }
    }
}

extension ERPModel {
    /// One kind of string over several networks, as over the participants of an experiment.
    package struct Average: Sendable {
        package var kind: ERPLexicon.Kind
        package var strings: Int
        /// Curves averaged over networks.
        package var first: [Double], second: [Double]
        /// Peaks of each network's mean curve.
        package var firstPeaks: [Double], secondPeaks: [Double]
    }

    /// Averages what `simulate` gave for each network; kinds that a network lacks are left out.
    package static func average(_ networks: [[Condition]]) -> [Average] {
        ERPLexicon.Kind.allCases.compactMap { kind in
            let own = networks.compactMap { conditions in conditions.first { $0.kind == kind } }
            guard own.count == networks.count, let one = own.first else { return nil }
            func average(_ curve: KeyPath<Condition, [Double]>) -> [Double] {
                one.first.indices.map { t in own.reduce(0) { $0 + $1[keyPath: curve][t] } / Double(own.count) }
            }
            return Average(
                kind: kind, strings: one.strings, first: average(\.first), second: average(\.second), firstPeaks: own.map(\.firstPeak),
                secondPeaks: own.map(\.secondPeak))
        }
    }

    /// Peaks of figure 2 of Laszlo & Armstrong (2014), read off by eye: only their order is compared with.
    package static let publishedPeaks: [(kind: ERPLexicon.Kind, first: Double, second: Double)] = [
        (.pseudoword, 0.245, 0.205), (.illegal, 0.23, 0.21), (.word, 0.20, 0.165), (.acronym, 0.165, 0.15),
    ]

    /// Whether one of the figure's orders comes out: the difference that should be above zero, by network.
    package struct Order: Sendable {
        package var name: String
        package var differences: [Double]
        package var test: TTest?

        /// `yes`, `no` (the other way round) or `undecided`, by the 95 % interval of the mean over networks.
        package var outcome: String {
            guard let interval = test?.estimate.interval else { return differences.allSatisfy { $0 > 0 } ? "yes" : "undecided" }
            return interval.lowerBound > 0 ? "yes" : interval.upperBound < 0 ? "no" : "undecided"
        }
    }

    /// Less at repetition of each kind, and the order of the kinds at the first and at the repeated presentation. In the figure illegal
    /// strings lie above pseudowords when repeated and below them at first.
    package static func orders(_ averages: [Average]) -> [Order] {
        func order(_ name: String, _ a: [Double], _ b: [Double]) -> Order {
            let differences = zip(a, b).map(-)
            return Order(name: name, differences: differences, test: try? TTest(differences))
        }
        var result = averages.map { order("\($0.kind.rawValue): first > repeated", $0.firstPeaks, $0.secondPeaks) }
        for (presentation, published, own) in [
            ("first", { (p: (kind: ERPLexicon.Kind, first: Double, second: Double)) in p.first }, \Average.firstPeaks),
            ("repeated", { $0.second }, \Average.secondPeaks),
        ] as [(String, ((kind: ERPLexicon.Kind, first: Double, second: Double)) -> Double, KeyPath<Average, [Double]>)] {
            let ranked = publishedPeaks.sorted { published($0) > published($1) }.compactMap { peak in
                averages.first { $0.kind == peak.kind }
            }
            for (k, a) in ranked.enumerated() {
                for b in ranked[(k + 1)...] {
                    result.append(order("\(presentation): \(a.kind.rawValue) > \(b.kind.rawValue)", a[keyPath: own], b[keyPath: own]))
                }
            }
        }
        return result
    }
}

/// Strings of three letters out of a corpus.
package struct ERPLexicon: Sendable {
    package enum Kind: String, Sendable, CaseIterable { case word, pseudoword, acronym, illegal }

    package private(set) var strings: [Kind: [String]] = [:]
    private static let vowels = Set("aeiouy")

    /// Words are the most frequent ones of three letters; acronyms the initials of the most frequent runs of three words, where all are
    /// consonants; pseudowords combine the first letter of one word with the other two of another, a vowel for a vowel and a consonant for
    /// a consonant; illegal strings are consonants in no order that was trained.
    ///
    /// - Parameters:
    ///   - texts: of a language in Latin letters; other letters are left out.
    ///   - count: strings of each kind, at most; a corpus with fewer has fewer.
    /// - Throws: `DataError` if there are fewer than ten words or three acronyms.
    package init(texts: [String], count: Int = 40, seed: UInt64) throws {
        var words: [String: Int] = [:], initials: [String: Int] = [:], seen: Set<String> = []
        for text in texts {
            let tokens = text.lowercased().split { !$0.isASCII || !$0.isLetter }.map(String.init)
            seen.formUnion(tokens)
            for token in tokens where token.count == 3 && token.contains(where: Self.vowels.contains) { words[token, default: 0] += 1 }
            for run in tokens.indices where run + 2 < tokens.count {
                let letters = String(tokens[run...run + 2].compactMap(\.first))
                if !letters.contains(where: Self.vowels.contains) { initials[letters, default: 0] += 1 }
            }
        }
        let abbreviations = initials.filter { !seen.contains($0.key) }
        // What the text has is judged, not what `count` leaves of it.
        guard words.count >= 10, abbreviations.count >= 3 else {
            throw DataError(
                .badData,
                "the text has \(words.count) words of three letters and \(abbreviations.count) acronyms "
                    + "(initials of three words, all consonants); at least 10 and 3 are needed")
        }
        func frequent(_ counts: [String: Int]) -> [String] {
            counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(count).map(\.key)
        }
        let real = frequent(words), acronyms = frequent(abbreviations)
        var random = RandomSource(seed: seed)
        func drawn(_ candidates: Set<String>) -> [String] {
            let sorted = candidates.sorted()
            return random.permutation(sorted.count).prefix(count).map { sorted[$0] }
        }
        var pseudo: Set<String> = [], illegal: Set<String> = []
        func beginsWithVowel(_ word: String) -> Bool { word.first.map { Self.vowels.contains($0) } ?? false }
        // A consonant before "nt" of "ant" would leave no vowel: like takes the place of like.
        for a in real {
            for b in real where beginsWithVowel(a) == beginsWithVowel(b) { pseudo.insert(String(a.prefix(1)) + b.dropFirst()) }
        }
        pseudo.subtract(seen)
        let consonants = Array(Set(real.joined()).subtracting(Self.vowels)).sorted()
        for a in consonants {
            for b in consonants { for c in consonants where a != b && b != c && a != c { illegal.insert(String([a, b, c])) } }
        }
        illegal.subtract(Set(initials.keys).union(seen))
        strings = [.word: real, .acronym: acronyms, .pseudoword: drawn(pseudo), .illegal: drawn(illegal)]
    }

    /// What the network learns to read: words and acronyms.
    package var trained: [String] { (strings[.word] ?? []) + (strings[.acronym] ?? []) }
}

/// Letters by position → hidden units → semantic features, with inhibition from units of its own at both levels, trained by
/// back-propagation that is written out here.
package struct ReadingNetwork: Sendable {
    package let hidden: Int, semantics: Int, inhibitory: Int
    static let letters = 26, positions = 3
    private static var inputs: Int { letters * positions }

    /// Excitation of hidden units and of their inhibitory units by letters, inhibition of hidden units; the same from hidden to semantics.
    package var layers: [[Double]]
    private let shapes: [(rows: Int, columns: Int, sign: Double)]
    /// Biases of hidden, hidden inhibitory, semantic, semantic inhibitory units.
    package var biases: [[Double]]

    /// Cross-entropy per string before each epoch of training.
    package private(set) var losses: [Double] = []

    package init(hidden: Int = 40, inhibitory: Int = 10, semantics: Int = 40, seed: UInt64) {
        (self.hidden, self.inhibitory, self.semantics) = (hidden, inhibitory, semantics)
        var random = RandomSource(seed: seed).split(1)
        shapes = [
            (hidden, Self.inputs, 1), (inhibitory, Self.inputs, 1), (hidden, inhibitory, -1), (semantics, hidden, 1),
            (inhibitory, hidden, 1), (semantics, inhibitory, -1),
        ]
        let scales = [1.0, 0.5, 0.5, 0.5, 0.2, 0.5]
        layers = zip(shapes, scales).map { shape, scale in
            (0..<shape.rows * shape.columns).map { _ in shape.sign * scale * random.uniform() }
        }
        biases = [
            [Double](repeating: -1, count: hidden), [Double](repeating: -1, count: inhibitory), [Double](repeating: -2, count: semantics),
            [Double](repeating: -2, count: inhibitory),
        ]
    }

    /// Places of the letters that are on; letters outside a–z and beyond three are left out.
    func input(_ string: String) -> [Int] {
        string.utf8.prefix(Self.positions).enumerated().compactMap { position, byte in
            byte >= 97 && byte <= 122 ? position * Self.letters + Int(byte - 97) : nil
        }
    }

    private static func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

    /// out += W x.
    private func multiply(_ layer: Int, _ x: [Double], into out: inout [Double]) {
        let (rows, columns, _) = shapes[layer]
        layers[layer].withUnsafeBufferPointer { w in
            for r in 0..<rows {
                var sum = 0.0
                for c in 0..<columns { sum += w[r * columns + c] * x[c] }
                out[r] += sum
            }
        }
    }

    private func letters(_ layer: Int, _ input: [Int]) -> [Double] {
        let (rows, columns, _) = shapes[layer]
        return (0..<rows).map { r in input.reduce(0) { $0 + layers[layer][r * columns + $1] } }
    }

    // MARK: Over time

    /// Net inputs when no letters are shown and all has settled: hidden, hidden inhibitory, semantic, semantic inhibitory.
    func restingNets() -> [[Double]] {
        var nets = biases
        _ = settle(&nets, input: [], rate: 1)
        return nets
    }

    /// One step of the cascade in all banks, from letters to semantics; returns hidden activations.
    func settle(_ averages: inout [[Double]], input: [Int], rate: Double) -> [Double] {
        func mix(_ bank: Int, _ net: [Double]) -> [Double] {
            for u in net.indices { averages[bank][u] = rate * net[u] + (1 - rate) * averages[bank][u] }
            return averages[bank].map(Self.logistic)
        }
        let inhibition = mix(1, zip(letters(1, input), biases[1]).map { $0 + $1 })
        var net = zip(letters(0, input), biases[0]).map { $0 + $1 }
        multiply(2, inhibition, into: &net)
        let h = mix(0, net)
        var second = biases[3]
        multiply(4, h, into: &second)
        let semanticInhibition = mix(3, second)
        var semantic = biases[2]
        multiply(3, h, into: &semantic)
        multiply(5, semanticInhibition, into: &semantic)
        _ = mix(2, semantic)
        return h
    }

    func semanticActivation(_ averages: [[Double]]) -> [Double] { averages[2].map(Self.logistic) }

    // MARK: Training

    /// Cross-entropy of one string's semantic features, and its derivatives by all layers and biases.
    package func gradient(_ string: String, target: [Double]) -> (loss: Double, layers: [[Double]], biases: [[Double]]) {
        var nets = biases
        let input = input(string)
        _ = settle(&nets, input: input, rate: 1)
        let a = nets.map { $0.map(Self.logistic) }
        let loss = zip(a[2], target).reduce(0) { $0 - $1.1 * log(max($1.0, 1e-12)) - (1 - $1.1) * log(max(1 - $1.0, 1e-12)) }
        func back(_ layer: Int, _ delta: [Double]) -> [Double] {
            let columns = shapes[layer].columns
            var result = [Double](repeating: 0, count: columns)
            for (r, d) in delta.enumerated() { for c in 0..<columns { result[c] += layers[layer][r * columns + c] * d } }
            return result
        }
        func through(_ bank: Int, _ d: [Double]) -> [Double] { zip(d, a[bank]).map { $0 * $1 * (1 - $1) } }
        let semantic = zip(a[2], target).map { $0 - $1 }
        let semanticInhibition = through(3, back(5, semantic))
        let h = through(0, zip(back(3, semantic), back(4, semanticInhibition)).map { $0 + $1 })
        let hiddenInhibition = through(1, back(2, h))
        func outer(_ d: [Double], _ x: [Double]) -> [Double] { d.flatMap { value in x.map { value * $0 } } }
        var x = [Double](repeating: 0, count: Self.inputs)
        for place in input { x[place] = 1 }
        return (
            loss,
            [
                outer(h, x), outer(hiddenInhibition, x), outer(h, a[1]), outer(semantic, a[0]), outer(semanticInhibition, a[0]),
                outer(semantic, a[3]),
            ],
            [h, hiddenInhibition, semantic, semanticInhibition]
        )
    }

    /// Learns one sparse random set of semantic features per string, by batch gradient descent with Adam's steps (Kingma & Ba 2015); after
    /// every step weights of the wrong sign become 0.
    ///
    /// - Parameter features: features that are on for each string.
    package mutating func train(_ strings: [String], epochs: Int = 300, learningRate: Double = 0.03, features: Int = 8, seed: UInt64) {
        var random = RandomSource(seed: seed).split(2)
        let targets = strings.map { _ in
            var target = [Double](repeating: 0, count: semantics)
            for place in random.permutation(semantics).prefix(features) { target[place] = 1 }
            return target
        }
        var first = (layers + biases).map { $0.map { _ in 0.0 } }, second = first
        for epoch in 1...max(epochs, 1) where epochs > 0 {
            var sums = (layers + biases).map { $0.map { _ in 0.0 } }, loss = 0.0
            for (string, target) in zip(strings, targets) {
                let g = gradient(string, target: target)
                loss += g.loss
                for (k, part) in (g.layers + g.biases).enumerated() { for i in part.indices { sums[k][i] += part[i] } }
            }
            losses.append(loss / Double(strings.count))
            let (c1, c2) = (1 - pow(0.9, Double(epoch)), 1 - pow(0.999, Double(epoch)))
            for k in sums.indices {
                for i in sums[k].indices {
                    let g = sums[k][i] / Double(strings.count)
                    first[k][i] = 0.9 * first[k][i] + 0.1 * g
                    second[k][i] = 0.999 * second[k][i] + 0.001 * g * g
                    let step = learningRate * (first[k][i] / c1) / ((second[k][i] / c2).squareRoot() + 1e-8)
                    if k < layers.count {
                        let moved = layers[k][i] - step
                        layers[k][i] = moved * shapes[k].sign < 0 ? 0 : moved
                    } else {
                        biases[k - layers.count][i] -= step
                    }
                }
            }
        }
    }
}
