// Speed of the seq2seq network: its training step beside `torch.nn.Transformer`'s, greedy generation with cache beside generate_peer.py.
// 2 + 2 layers, 384 units, 4 heads, feed-forward 384, vocabulary 32,000, batch 128 × 16. Prints one line of JSON a measurement. With
// --products only what oneDNN reaches on the shapes of a training step.
import Autograd
import Foundation
import LanguageModels
import Networks
import Tensors
import Training

let arguments = CommandLine.arguments
func option(_ name: String, _ fallback: Int) -> Int {
    guard let at = arguments.firstIndex(of: name), at + 1 < arguments.count, let value = Int(arguments[at + 1]) else { return fallback }
    return value
}
let threads = option("--threads", Parallel.availableThreads), steps = option("--steps", 4), repeats = option("--repeats", 5)
let vocabulary = option("--vocabulary", 32000), batch = option("--batch", 128), length = option("--length", 16)
let precisions: [Precision] =
    arguments.contains("--f32") ? [.f32] : arguments.contains("--bf16") ? [.bf16] : [.f32, .bf16].filter(\.isFast)

func seconds() -> (wall: Double, cpu: Double) {
    var usage = rusage()
    getrusage(0, &usage)  // 0: this process
    let cpu = [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
    return (Double(DispatchTime.now().uptimeNanoseconds) / 1e9, cpu)
}

func say(_ peer: String, _ work: String, _ count: Int, since begin: (wall: Double, cpu: Double)) {
    let now = seconds()
    print(
        "{\"peer\": \"\(peer)\", \"work\": \"\(work)\", \"threads\": \(threads), \"per_s\": \(Double(count) / (now.wall - begin.wall)), \"per_cpu_s\": \(Double(count) / (now.cpu - begin.cpu))}"
    )
}

var shape = Seq2SeqConfiguration.Transformer()
(shape.hiddenSize, shape.intermediateSize) = (384, 384)
(shape.encoderLayers, shape.decoderLayers) = (2, 2)
shape.finalNorm = true
var configuration = Seq2SeqConfiguration(.transformer(shape), vocabularySize: vocabulary)
// As in the script: separate tables, separate output layer.
configuration.sharedEmbeddings = false
configuration.maximumLength = 64
var random = RandomSource(seed: 1)
// The end mark is the last token of a target, so that there are as many positions as in the script.
let examples = (0..<batch).map { _ in
    Seq2SeqExample(
        source: (0..<length).map { _ in Int32(5 + random.below(vocabulary - 5)) },
        target: (0..<length - 1).map { _ in Int32(5 + random.below(vocabulary - 5)) })
}

// What oneDNN reaches in a training step's largest products, on the very shapes: the limit that the step is to be held against.
if arguments.contains("--products") {
    for precision in precisions { measureProducts(precision) }
    exit(0)
}

for precision in precisions {
    let network = try makeSeq2SeqNetwork(configuration, seed: 1)
    if !arguments.contains("--generate-only") {
        var options = Seq2SeqTrainingOptions()
        options.optimizer = OptimizerConfiguration(.adamw, learningRate: 5e-5)
        options.batchSize = batch
        options.shardSize = option("--shard", 64)
        options.precision = precision
        options.threads = threads
        let trainer = try Seq2SeqTrainer(network, examples: examples, options: options)
        _ = try trainer.step(examples, learningRate: 5e-5)
        let begin = seconds()
        for _ in 0..<steps { _ = try trainer.step(examples, learningRate: 5e-5) }
        say("kotonoha-\(precision.rawValue)", "seq2seq 2+2x384 vocab \(vocabulary) batch \(batch)x\(length), steps", steps, since: begin)
    }
    // Every output runs to the full length, as the peer's.
    if let bias = network.output.bias {
        var values = bias.value
        values[Int(configuration.endID)] = -1e9
        bias.assign(values)
    }
    let writer = network.computing(in: precision)
    var decoding = DecodingOptions()
    decoding.maximumLength = length
    // The batch in as many parts as there are threads, as the program does it; each output is the same in any part.
    let parts = Parallel.chunks(batch, size: (batch + threads - 1) / threads).map { PackedBatch(examples[$0].map(\.source)) }
    func generate() -> Int {
        let decoding = decoding
        return Parallel.map(parts.count, threads: threads) { index, _ in
            let outputs = try? writer.generate(parts[index], options: decoding)
            return outputs?.reduce(0) { $0 + $1[0].ids.count } ?? 0
        }.reduce(0, +)
    }
    let tokens = generate() * repeats
    let begin = seconds()
    for _ in 0..<repeats { _ = generate() }
    say("kotonoha-\(precision.rawValue)", "greedy with cache, batch \(batch), tokens", tokens, since: begin)
}

/// The output layer's three products (scores, gradients of the states, gradients of the weights) and those of a square layer, one worker a
/// core with operands of its own, as in training: GFLOP a second of all cores together.
func measureProducts(_ precision: Precision) {
    let size = 384, block = 256
    for outputs in [vocabulary, size] {
        let weight = Tensor<Float>(repeating: 0.01, shape: [outputs, size])
        let forward = Parameter(weight).packed(precision), backward = Parameter(weight).packed(precision, transposed: true)
        for name in ["x W'", "dy W", "dy' x"] {
            let rounds = 20 * repeats * max(1, 4000 / outputs)
            func run(_ rounds: Int) {
                Parallel.forEach(threads, threads: threads) { _, _ in
                    let states = ProductOperand(Tensor<Float>(repeating: 0.5, shape: [block, size]), precision: precision)
                    let scores = ProductOperand(Tensor<Float>(repeating: 0.5, shape: [block, outputs]), precision: precision)
                    var result = Tensor<Float>(shape: [name == "dy' x" ? outputs : block, name == "x W'" ? outputs : size])
                    for _ in 0..<rounds {
                        switch name {
                        case "x W'": Float.multiply(states, by: forward, into: &result.target)
                        case "dy W": Float.multiply(scores, by: backward, into: &result.target)
                        default: Float.addTransposedProduct(scores, states, to: &result.target)
                        }
                    }
                }
            }
            run(1)
            let begin = seconds()
            run(rounds)
            say(
                "oneDNN-\(precision.rawValue)", "\(name), \(block) rows, \(size) x \(outputs), GFLOP",
                2 * block * size * outputs / 1000 * rounds * threads / 1_000_000, since: begin)
        }
    }
}
