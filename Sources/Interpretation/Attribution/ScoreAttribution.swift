import Autograd
import FileFormats
import Foundation
import ModelFolders
import Networks
import SentenceEmbedding
import Tensors
import Tokenizers

/// A classifier or cross-encoder whose scores can be explained.
package struct ExplainedClassifier: Sendable {
    package let directory: ModelDirectory
    package let tokenizer: Tokenizer
    package let network: SequenceClassifier<Float>
    /// Names of the labels, as `id2label` has them.
    package let labels: [String]

    /// Whether a folder's architecture is a sequence classifier.
    package static func isOne(_ directory: ModelDirectory) -> Bool {
        directory.configuration["architectures"]?.array?.first?.string?.hasSuffix("ForSequenceClassification") ?? false
    }

    /// - Throws: `DataError` that names the file, key or tensor that does not fit.
    package init(directory: ModelDirectory, dictionary: String? = nil) throws {
        self.directory = directory
        let file = directory.transformerFolder.appendingPathComponent("config.json").path
        network = try SequenceClassifier(json: directory.configuration, file: file)
        tokenizer = try Tokenizer(directory: directory.transformerFolder, dictionary: dictionary.map { URL(fileURLWithPath: $0) })
        guard tokenizer.idBound <= network.encoder.configuration.vocabularySize else {
            throw DataError(
                .badData,
                "the tokenizer gives ids up to \(tokenizer.idBound - 1), but the configuration's vocabulary has "
                    + "\(network.encoder.configuration.vocabularySize) entries", file: directory.folder.path)
        }
        try network.load(from: ModelDirectory.weights(in: directory.transformerFolder))
        let names = directory.configuration["id2label"]
        labels = (0..<network.labels).map { names?["\($0)"]?.string ?? "LABEL_\($0)" }
    }

    /// A classifier that is open already. Its weights are read again only if it computes in less than full precision.
    /// - Throws: `DataError` as `init(directory:dictionary:)` does.
    package init(_ classifier: TextClassifier, dictionary: String? = nil) throws {
        guard let open = classifier.fullPrecision else {
            self = try Self(directory: classifier.directory, dictionary: dictionary)
            return
        }
        (directory, labels) = (classifier.directory, classifier.labels)
        (network, tokenizer) = open
    }
}

/// What a classifier's score rests on, token by token.
package struct ScoreAttribution: Sendable {
    package let text: AttributedText
    /// One for each token.
    package let values: [Double]
    /// The label's score before any softmax or sigmoid, of the text and of its reference.
    package let score: Double
    package let reference: Double
    package let label: Int
    package let method: AttributionMethod

    package var sum: Double { values.reduce(0, +) }
    /// What the attributions should add up to; nil for a method that does not promise it.
    package var expected: Double? { method == .integrated ? score - reference : nil }

    /// - Parameters:
    ///   - label: nil explains the one with the highest score.
    ///   - nodes: of the quadrature.
    /// - Throws: `DataError` for a text without a token or longer than the model reads.
    package init(
        _ model: ExplainedClassifier, _ a: String, _ b: String?, label: Int? = nil, method: AttributionMethod = .integrated,
        nodes: Int = 24,
        cutter: WordCutter = WordCutter()
    ) throws {
        let network = model.network, encoder = network.encoder
        text = try AttributedText(
            a, b, model.tokenizer, limit: encoder.configuration.longestSequence, name: model.directory.name, cutter: cutter)
        let x = encoder.embeddings(of: text.batch(text.ids, encoder), on: nil).value.elements
        let blank = encoder.embeddings(of: text.batch(text.referenceIDs, encoder), on: nil).value.elements
        let n = text.ids.count, size = x.count / n
        let ends = network(Variable(Tensor(x + blank, shape: [2 * n, size])), offsets: [0, Int64(n), Int64(2 * n)], on: nil).value
        let scores = (0..<network.labels).map { Double(ends[0, $0]) }
        let chosen = label ?? scores.indices.max { scores[$0] < scores[$1] } ?? 0
        (score, reference) = (scores[chosen], Double(ends[1, chosen]))

        let start = method == .integrated ? blank : [Float](repeating: 0, count: x.count), way = zip(x, start).map { $0 - $1 }
        let rule = method == .integrated ? Quadrature(nodes) : nil
        let places = rule.map { zip($0.nodes, $0.weights).map { (Float($0), $1) } } ?? [(Float(1), 1.0)]
        var values = [Double](repeating: 0, count: n)
        // All parameters stay as they are; the gradient that counts is the embeddings'.
        let frozen = Set(network.parameters.map(ObjectIdentifier.init))
        for range in Parallel.chunks(places.count, size: max(1, 2048 / n)) {
            let tape = Tape<Float>(frozen: frozen, trains: false), count = range.count
            let states = places[range].flatMap { place in zip(start, way).map { $0 + place.0 * $1 } }
            let input = tape.input(Tensor(states, shape: [count * n, size]))
            let found = network(input, offsets: (0...count).map { Int64($0 * n) }, on: tape)
            var seed = Tensor<Float>(shape: found.shape)
            let width = network.labels
            seed.withUnsafeMutableElements { for row in 0..<count { $0[row * width + chosen] = 1 } }
            tape.backward(from: found, seed: seed)
            let gradient = tape.gradient(of: input).elements
            for (copy, place) in places[range].enumerated() {
                for k in x.indices { values[k / size] += place.1 * Double(gradient[copy * x.count + k]) * Double(way[k]) }
            }
        }
        self.values = values
        self.label = chosen
        self.method = method
    }

    /// Sums over the tokens of each word; special tokens are left out where nothing falls to them.
    package func words() -> [(text: String, sentence: Int?, value: Double)] {
        var sums = [Double](repeating: 0, count: text.units.count)
        for (token, value) in values.enumerated() { sums[text.owners[token]] += value }
        return text.units.indices.filter { !text.unitIsSpecial[$0] || sums[$0] != 0 }.map {
            (text.units[$0], text.unitSentences[$0], sums[$0])
        }
    }
}
