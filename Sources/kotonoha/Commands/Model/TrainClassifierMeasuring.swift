import FileFormats
import Foundation
import Statistics
import Tensors
import Training

// Folds and test tables (--folds, --test).

extension TrainClassifierCommand {
    /// Scores the classifier and its baselines on folds or test tables.
    func measure(_ data: LabelledTexts, _ trained: [Int]) throws {
        let parts = try folds.map { try data.folds($0, stratified: stratify, seed: figures.seed) }
        let splits: [(train: [Int], test: [Int])] =
            parts.map { parts in (0..<parts.count).map { (parts.training($0, of: trained), parts.tests[$0]) } }
            ?? [(trained, Array(trained.count..<data.count))]
        let rows = splits.flatMap(\.test).sorted(), places = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($1, $0) })
        let (vectors, encoder) = try frozen(data)
        var methods: [(name: String, seeded: [any ClassificationMethod])] = [
            ("majority", [MajorityMethod()]), (CharacterMethod().name, [CharacterMethod()]), (vectors.name, [vectors]),
        ]
        let view = StepLine(isQuiet: report.quiet)
        var tuned: FineTuning?
        if setfit {
            let base = try base(), encodings = try encodings(data, base), name = "SetFit \(base.directory.name)"
            methods.append(
                (name, try (0..<seeds).map { seed in try contrastive(data, base, encodings, seed: figures.seed &+ UInt64(seed), view) }))
        } else if !isFrozen {
            let base = try base(), settings = try settings(for: base), encodings = try encodings(data, base)
            let name = "fine-tuned \(base.directory.name)"
            tuned = settings
            methods.append(
                (
                    name,
                    (0..<seeds).map { seed in
                        var own = settings
                        own.seed = settings.seed &+ UInt64(seed)
                        return FineTuningMethod(
                            name: name, own, base: base, encodings: encodings, threads: model.threads,
                            shouldStop: { Interruption.isRequested }, watch: { view.show($0) })
                    }
                ))
        }
        let width = data.task == .regression ? 1 : data.labels.count
        let found = try methods.map { name, seeded in
            (
                name: name,
                runs: try seeded.enumerated().map { seed, method in
                    var scores = Tensor<Double>(uninitialized: [rows.count, width])
                    for (part, split) in splits.enumerated() {
                        view.begin(
                            "\(name)\(seeded.count > 1 ? ", seed \(seed + 1)" : "")\(splits.count > 1 ? ", fold \(part + 1) of \(splits.count)" : "")"
                        )
                        let values = try method.scores(data, train: split.train, test: split.test)
                        for (i, row) in split.test.enumerated() { for k in 0..<width { scores[places[row] ?? 0, k] = values[i, k] } }
                    }
                    return scores
                }
            )
        }
        view.end()
        let leakage = LeakageCheck(data, splits: splits)
        let result = try ClassifierReport(
            data: data, rows: rows, methods: found, leakage: leakage, bootstrap: figures.bootstrap(threads: model.threads))
        var record = try encoder.record(
            provenance(seed: figures.seed), inputs: zip(data.fileNames, data.sha256).map { Provenance.Source(path: $0, sha256: $1) })
        var design: [(key: String, value: JSON)] = [
            ("method", .string("classifier evaluation")), ("design", .string(folds == nil ? "test table" : "folds")),
            ("folds", folds.map(JSON.integer) ?? .null),
            ("stratified", .bool(stratify)), ("training_rows", .integer(trained.count)), ("seeds", .integer(isFrozen ? 1 : seeds)),
        ]
        design += [
            ("resamples", .integer(figures.resamples)), ("training", .string(isFrozen ? "frozen" : setfit ? "setfit" : "fine-tuned")),
        ]
        design += [("calibrated", .bool(calibrate)), ("class_weights", .string(classWeights.rawValue))]
        if let tuned { design += tuning(tuned) }
        design.append(("encoder", try encoder.description))
        record.settings = design + result.facts
        if let output {
            let parts: [Int]? = folds == nil ? nil : rows.map { row in splits.firstIndex { $0.test.contains(row) } ?? 0 }
            try result.write(to: output, tableOutput, folds: parts, provenance: record)
        }
        try result.draw(figures, provenance: record)
        if report.json { return try Console.print(JSON.object(record.settings).serialized(.pretty)) }
        try result.say(isQuiet: report.quiet)
    }
}
