import ArgumentParser
import Foundation
import Kotonoha

struct EncoderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "encoder", abstract: "Train a sentence encoder as a configuration file says, on all ranks.",
        discussion: """
            mpirun -n 4 kotonoha-mpi train encoder config.json -o my-model

            The configuration is that of kotonoha train encoder, and the weights are the same to the last bit at any number of ranks, also after a
            rank has died and the run goes on with another number of them. All ranks read the same files; the first one writes. There are at most
            as many ranks as the configuration has lanes (8 if it says nothing).
            """)

    @Argument(help: "The configuration, JSON.")
    var configuration: String

    @Option(name: .shortAndLong, help: "The model's folder, written when training ends.")
    var output: String

    @Option(
        name: .customLong("run"),
        help: ArgumentHelp("Folder of checkpoints and log, on a disk that all ranks see; OUTPUT.run if not given.", valueName: "dir"))
    var runFolder: String?

    @Flag(help: "Start over, ignoring checkpoints.")
    var fresh = false

    @Option(help: "Steps, overriding the configuration.")
    var steps: Int?

    @Option(help: "Seed of all random choices, overriding the configuration.")
    var seed: UInt64?

    @Option(help: "Threads of a rank; the result does not depend on it.")
    var threads = Parallel.availableThreads

    @Option(help: "Steps between progress lines.")
    var logEvery = 100

    @Flag(help: "No notes; errors only.")
    var quiet = false

    func validate() throws {
        for (name, value, bounds) in [
            ("--steps", steps, Bounds.steps), ("--threads", threads, .threads), ("--log-every", logEvery, .steps),
        ] {
            if let value, !bounds.contains(value) { throw ValidationError("\(name) takes \(bounds.expectation), not \(value)") }
        }
    }

    func run() throws {
        let peers = MPIPeers()
        let settings = try SentenceTrainingConfiguration(file: configuration, steps: steps, seed: seed, learningRate: nil)
        let folder = URL(fileURLWithPath: runFolder ?? output + ".run")
        // The first rank looks, as it is the one that writes; the others hear of it when it aborts.
        if peers.rank == 0 {
            try Outputs.check(inputs: [configuration] + settings.inputs, files: [], folders: [output, folder.path])
            if fresh { try Checkpoint.removeAll(in: folder) }
        }
        // A teacher's vectors are computed once: the first rank puts them into the run's folder, and the others find them there.
        if peers.rank > 0 { try peers.meet() }
        let isFirst = peers.rank == 0
        let watch: (TrainingEvent) -> Void = { event in if isFirst { show(event, steps: settings.steps) } }
        let trainer = try SentenceTrainer(settings, cache: folder, threads: threads, peers: peers, watch: watch)
        if peers.rank == 0 { try peers.meet() }
        if isFirst, !quiet { KotonohaMPI.say("\(peers.count) ranks of \(threads) threads, \(settings.lanes) lanes") }
        try trainer.run(in: folder, shouldStop: { StopRequest.isMade }, watch: watch)
        guard isFirst else { return }
        try trainer.takeFinalWeights(from: folder)
        try SentenceModelWriter(settings).write(trainer, to: URL(fileURLWithPath: output))
        if !quiet { KotonohaMPI.say("\(output): \(trainer.step) steps") }
    }

    private func show(_ event: TrainingEvent, steps: Int) {
        guard !quiet else { return }
        func fixed(_ number: Double) -> String { String(format: "%.4f", number) }
        switch event {
        case .read(let name, let rows, _, _): KotonohaMPI.say("\(name): \(rows) rows")
        case .teaching(let name, let done, let total): if done == total { KotonohaMPI.say("\(name): \(total) vectors of the teacher") }
        case .resumed(let step, let file): KotonohaMPI.say("resuming after step \(step) from \(file)")
        case .step(let step, let losses, _, let norm, _):
            guard step % logEvery == 0 || step == steps else { return }
            KotonohaMPI.say(
                "step \(step), " + losses.map { "\($0.name) \(fixed($0.loss))" }.joined(separator: ", ") + ", gradient \(fixed(norm))")
        case .evaluated(let step, let figures, let mean, let isBest):
            KotonohaMPI.say(
                "step \(step): " + figures.map { "\($0.name) \(fixed($0.value))" }.joined(separator: ", ")
                    + ", mean \(fixed(mean))\(isBest ? " (best)" : "")")
        case .saved(let step, let file): KotonohaMPI.say("step \(step) saved in \(file)")
        case .stoppedEarly(let step, let best): KotonohaMPI.say("stopped after step \(step): nothing better since step \(best)")
        }
    }
}
