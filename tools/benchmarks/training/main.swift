// Speed of the training step, on the shapes of the PyTorch script beside which it is measured: a contrastive encoder of 4 layers × 256.
import Autograd
import Foundation
import Networks
import Tensors
import Training

let arguments = CommandLine.arguments
func option(_ name: String, _ fallback: Int) -> Int {
    guard let at = arguments.firstIndex(of: name), at + 1 < arguments.count, let value = Int(arguments[at + 1]) else { return fallback }
    return value
}
let threads = option("--threads", Parallel.availableThreads), shards = option("--shards", 16), steps = option("--steps", 8)
let pairs = option("--pairs", 256), length = option("--length", 16)
let precisions: [Precision] = arguments.contains("--f32") ? [.f32] : arguments.contains("--bf16") ? [.bf16] : [.f32, .bf16]

var configuration = EncoderConfiguration(
    vocabularySize: 8000, hiddenSize: 256, layers: 4, attentionHeads: 4, intermediateSize: 1024, positions: 64)
configuration.segments = 0
configuration.dropout = 0
let encoder = Encoder<Float>(configuration)
encoder.initialize(seed: 1)
let parameters = encoder.parameters
let optimizer = Optimizer(OptimizerConfiguration(.adamw, learningRate: 1e-4), parameters: parameters)
var random = RandomSource(seed: 2)
// Sentences of one length, or of the lengths in a file of whole numbers, from its beginning again where it ends.
var lengths = [length], lengthsName = "\(length)"
if let at = arguments.firstIndex(of: "--lengths"), at + 1 < arguments.count {
    lengths = try String(contentsOfFile: arguments[at + 1], encoding: .utf8).split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    lengthsName = "mixed lengths"
}
let perShard = 2 * pairs / shards
/// A batch for every step, as shards: the first sides of all pairs, then the second sides.
let batches = (0...steps).map { step in
    (0..<shards).map { shard in
        PackedBatch(
            (shard * perShard..<(shard + 1) * perShard).map { sentence in
                (0..<min(64, lengths[(step * 2 * pairs + sentence) % lengths.count])).map { _ in Int32(random.below(8000)) }
            })
    }
}

for precision in precisions {
    let engine = ShardedGradients(parameters, lanes: option("--lanes", 8), precision: precision, threads: threads)
    var lastLoss = 0.0
    func step(_ number: Int) throws {
        let batches = batches[number]
        engine.clear()
        try engine.add(shards: shards, seed: 1) { shard, tape in
            let hidden = encoder(batches[shard], on: tape)
            return normalizedRows(pooled(hidden, offsets: batches[shard].offsets, mode: .mean, on: tape), on: tape)
        } loss: { outputs in
            let tape = Tape<Float>()
            let all = outputs.compactMap { $0 }.map { tape.input($0) }
            let joined = concatenatedRows(all, on: tape)
            let a = rows(joined, 0..<pairs, on: tape), b = rows(joined, pairs..<2 * pairs, on: tape)
            let logits = scaled(matrixProduct(a, b, transposed: (false, true), on: tape), by: 20, on: tape)
            let loss = mean(crossEntropy(logits, targets: (0..<Int32(pairs)).map { $0 }, on: tape), on: tape)
            lastLoss = Double(loss.value[0])
            tape.backward(from: loss)
            return all.map { tape.gradient(of: $0) }
        }
        optimizer.step(engine.gradients, learningRate: 1e-4, threads: threads)
    }
    try step(0)
    func cpuSeconds() -> Double {
        var usage = rusage()
        getrusage(0, &usage)  // 0: this process
        return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
    }
    let startCPU = cpuSeconds()
    let start = DispatchTime.now().uptimeNanoseconds
    for number in 1...steps { try step(number) }
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
    print(
        "{\"peer\": \"kotonoha-\(precision.rawValue)\", \"work\": \"contrastive 4x256 batch \(pairs)x\(lengthsName), pairs\", \"per_s\": \(Double(steps * pairs) / seconds), \"per_cpu_s\": \(Double(steps * pairs) / (cpuSeconds() - startCPU)), \"threads\": \(threads), \"loss\": \(lastLoss)}"
    )
}
var usage = rusage()
getrusage(0, &usage)  // 0: this process
print("{\"peak_memory_mb\": \(usage.ru_maxrss / 1024)}")
