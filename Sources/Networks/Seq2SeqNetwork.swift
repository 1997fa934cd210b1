import Autograd
import FileFormats
import Tensors

/// Parameters that are frozen or held back together when a trained network learns something else.
package enum ParameterGroup: String, Sendable, CaseIterable {
    case embeddings, encoder, decoder, attention, recurrence, output
}

/// A network that reads a source sequence and writes a target sequence.
///
/// `states` is the training path, all target positions at once with the right answers as the decoder's input; `beginDecoding` writes token
/// after token from what the network itself wrote. Both compute the same function.
package protocol Seq2SeqNetwork<Scalar>: Module {
    var configuration: Seq2SeqConfiguration { get }
    /// From decoder states to scores of the vocabulary.
    var output: Linear<Scalar> { get }

    /// Decoder states, `(decoder input tokens, readoutSize)`: state t has seen the source and inputs 0 … t.
    ///
    /// - Precondition: as many sources as decoder inputs, none empty, ids in the vocabulary, lengths within `maximumLength`.
    func states(source: PackedBatch, decoderInput: PackedBatch, on tape: Tape<Scalar>?) -> Variable<Scalar>

    /// Reads the sources; the session starts with one hypothesis for each.
    func beginDecoding(_ source: PackedBatch) -> any DecodingSession<Scalar>

    /// Where the network looks while it reads `source` and writes from `decoderInput`, as far as it has attention.
    func attentionMaps(source: [Int32], decoderInput: [Int32]) -> [AttentionMap<Scalar>]

    /// The groups that a parameter belongs to: a decoder's attention is in `decoder` and in `attention`.
    func groups(of parameter: Parameter<Scalar>) -> Set<ParameterGroup>

    var checkpointEntries: [CheckpointEntry<Scalar>] { get }

    func initialize(seed: UInt64)
}

extension Seq2SeqNetwork {
    /// A network of the same values whose products compute in another precision when there is no tape.
    package func computing(in precision: Precision) -> any Seq2SeqNetwork<Scalar> {
        let other: any Seq2SeqNetwork<Scalar> =
            switch configuration.architecture {
            case .transformer: EncoderDecoder<Scalar>(configuration, precision: precision)
            case .recurrent: RecurrentSeq2Seq<Scalar>(configuration, precision: precision)
            }
        other.take(from: self)
        return other
    }

    /// Numbers that can be learned, shared ones counted once.
    package var parameterCount: Int { parameters.reduce(0) { $0 + $1.value.count } }
}

/// Hypotheses that are being written, and what the decoder keeps of each.
///
/// Hypotheses of one source stay next to each other, in the order of the sources.
package protocol DecodingSession<Scalar> {
    associatedtype Scalar: TensorScalar
    var hypotheses: Int { get }
    /// Gives every hypothesis its next token and returns decoder states, `(hypotheses, readoutSize)`.
    mutating func advance(_ tokens: [Int32]) -> Tensor<Scalar>
    /// Hypothesis i becomes what hypothesis `rows[i]` was; one may go on several times or not at all.
    mutating func select(_ rows: [Int])
}

/// Attention weights of one head.
package struct AttentionMap<Scalar: TensorScalar>: Sendable {
    /// Where attention takes place: within the source, within the target, or from the target to the source.
    package enum Place: String, Sendable { case encoder, decoder, cross }
    /// Where the attention takes place.
    package let place: Place
    /// From 0.
    package let layer: Int
    /// From 0.
    package let head: Int
    /// `(queries, keys)`; rows sum to 1.
    package let weights: Tensor<Scalar>
}

/// Which source each hypothesis of a session belongs to; hypotheses of one source are neighbours.
struct HypothesisSources {
    private(set) var source: [Int]
    private let sources: Int
    /// Hypotheses of source s are `offsets[s] ..< offsets[s + 1]`.
    private(set) var offsets: [Int64]

    init(sources: Int) {
        self.sources = sources
        source = Array(0..<sources)
        offsets = (0...sources).map(Int64.init)
    }

    var count: Int { source.count }

    mutating func select(_ rows: [Int]) {
        source = rows.map { source[$0] }
        precondition(zip(source, source.dropFirst()).allSatisfy { $0 <= $1 }, "hypotheses of one source must stay neighbours, in order")
        offsets = [Int64](repeating: 0, count: sources + 1)
        for s in source { offsets[s + 1] += 1 }
        for s in 0..<sources { offsets[s + 1] += offsets[s] }
    }
}

/// Makes the network that a configuration describes, with random weights; without a seed with zeros, for a checkpoint to fill.
///
/// - Parameter precision: what products compute in when there is no tape: all of a Transformer's, the output layer's of a recurrent
///   network.
package func makeSeq2SeqNetwork<S: TensorScalar>(
    _ configuration: Seq2SeqConfiguration, seed: UInt64?, precision: Precision = .f32, as type: S.Type = Float.self
) throws -> any Seq2SeqNetwork<S> {
    try configuration.validate()
    let network: any Seq2SeqNetwork<S> =
        switch configuration.architecture {
        case .transformer: EncoderDecoder<S>(configuration, precision: precision)
        case .recurrent: RecurrentSeq2Seq<S>(configuration, precision: precision)
        }
    if let seed { network.initialize(seed: seed) }
    return network
}

extension Parameter {
    /// Draws every element again, in order.
    package func fill(_ draw: () -> Double) {
        assign(Tensor((0..<shape.reduce(1, *)).map { _ in Scalar(draw()) }, shape: shape))
    }
}

extension Module {
    /// The values of another network of the same architecture; memory is shared until one of the two changes.
    package func take(from other: some Module<Scalar>) {
        for (own, theirs) in zip(parameters, other.parameters) { own.assign(theirs.value) }
    }
}
