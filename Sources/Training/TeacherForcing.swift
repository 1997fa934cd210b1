import LanguageModels
import Networks
import Tensors

/// How many examples have every token, end mark included, as the most probable one while the decoder is given what it was given in
/// training.
///
/// Teacher-forced: with the shifted input each position is told the right tokens before it, with the unshifted one even the token that it
/// must say. Neither is what a network does by itself; see `FreeRunningEvaluation`.
package func teacherForcedMatches(_ model: Seq2SeqModel, _ examples: [Seq2SeqExample], input: Seq2SeqTrainingOptions.DecoderInput) -> Int {
    let network = model.network, begin = model.configuration.beginID, end = model.configuration.endID
    var matches = 0
    for range in Parallel.chunks(examples.count, size: 128) {
        let part = examples[range]
        let given = PackedBatch(part.map { input == .shifted ? [begin] + $0.target : $0.target + [end] })
        let scores = network.output(network.states(source: PackedBatch(part.map(\.source)), decoderInput: given, on: nil), on: nil).value
        for (s, example) in part.enumerated() {
            let isRight = (example.target + [end]).enumerated().allSatisfy { t, token in
                Float.indexOfLargest(scores.view[Int(given.offsets[s]) + t]) == Int(token)
            }
            if isRight { matches += 1 }
        }
    }
    return matches
}
