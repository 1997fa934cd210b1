import FileFormats
import Foundation
import Tensors
import Tokenizers

/// One of the things that a run learns at once: labelled rows, those of them that are learned from, and a head of its own.
package struct ClassifierTask: Sendable {
    /// As files and reports call it; empty for a task alone.
    package var name: String
    package var data: LabelledTexts
    /// Of all rows of `data`, as `PretrainedBase.encode` gives them.
    package var encodings: [Encoding]
    /// Rows that are learned from.
    package var train: [Int]
    /// Rows by which epoch and temperature are chosen; none if they are not.
    package var heldOut: [Int]
    package var head: FineTuning.Head
    /// Multiplies the loss.
    package var weight: Double

    package init(
        name: String, data: LabelledTexts, encodings: [Encoding], train: [Int], heldOut: [Int] = [], head: FineTuning.Head = .mlp,
        weight: Double = 1
    ) {
        (self.name, self.data, self.encodings, self.train, self.heldOut, self.head, self.weight) = (
            name, data, encodings, train, heldOut, head, weight
        )
    }

    /// Everything that decides a result, for checkpoints.
    var identity: [String] {
        let rows = zip(data.texts, data.texts.indices).map { "\($0)\u{1}\(data.seconds?[$1] ?? "")\u{1}\(data.label($1))" }
        return [
            name, head.rawValue, "\(weight)", data.task.rawValue, data.sha256.joined(separator: ","),
            data.labels.joined(separator: "\u{1}"), "\(train)", "\(heldOut)",
            SHA256.hex(of: rows.joined(separator: "\u{2}")),
        ]
    }
}

/// Which task each step is for: an epoch has all batches of all tasks, in an order of its own.
struct TaskOrder: Sendable {
    /// Batches of each task in an epoch.
    let batches: [Int]
    private let random: RandomSource
    private var shuffled: (epoch: Int, tasks: [Int])?
    var batchesPerEpoch: Int { batches.reduce(0, +) }

    init(batches: [Int], random: RandomSource) { (self.batches, self.random) = (batches, random) }

    private func tasks(ofEpoch epoch: Int) -> [Int] {
        let sorted = batches.enumerated().flatMap { Array(repeating: $0, count: $1) }
        var stream = random.split(UInt64(epoch))
        return stream.permutation(sorted.count).map { sorted[$0] }
    }

    /// The task of a step from 0.
    mutating func task(at step: Int) -> Int {
        guard batches.count > 1 else { return 0 }
        let (epoch, place) = step.quotientAndRemainder(dividingBy: batchesPerEpoch)
        if let shuffled, shuffled.epoch == epoch { return shuffled.tasks[place] }
        let found = tasks(ofEpoch: epoch)
        shuffled = (epoch, found)
        return found[place]
    }

    /// Batches that each task has had before a step.
    func positions(at step: Int) -> [Int] {
        let (epoch, place) = step.quotientAndRemainder(dividingBy: batchesPerEpoch)
        let begun = tasks(ofEpoch: epoch).prefix(place)
        return batches.enumerated().map { task, count in epoch * count + begun.count { $0 == task } }
    }
}
