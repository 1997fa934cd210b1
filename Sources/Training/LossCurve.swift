import FileFormats
import Foundation

/// What a run's log says over the steps, for drawing.
package struct LossCurve: Sendable {
    /// Mean losses of each task over stretches of steps.
    package private(set) var losses: [(name: String, steps: [Double], values: [Double])] = []
    /// Figures of each dev file.
    package private(set) var figures: [(name: String, steps: [Double], values: [Double])] = []
    package private(set) var bestStep: Int?

    /// Reads `log.jsonl`.
    ///
    /// - Parameter points: at most this many of each curve.
    /// - Throws: `DataError` if it cannot be read.
    package init(log path: String, points: Int = 400) throws {
        let file = try MappedFile(path: path)
        var sums: [String: [Int: (step: Double, loss: Double, count: Double)]] = [:], names: [String] = []
        var measured: [String: (steps: [Double], values: [Double])] = [:], measures: [String] = []
        var last = 1
        let parsed = try file.withUnsafeBytes { bytes in
            try bytes.split(separator: UInt8(ascii: "\n")).enumerated().compactMap { number, line -> (Int, JSON)? in
                let json = try JSON(parsing: UnsafeRawBufferPointer(rebasing: line), file: path, line: number + 1)
                guard let step = json["step"]?.int, step > 0 else { return nil }
                last = max(last, step)
                return (step, json)
            }
        }
        let width = max(1, (last + points - 1) / points)
        for (step, json) in parsed {
            for (name, value) in json["losses"]?.object ?? [] {
                guard let loss = value.double else { continue }
                if sums[name] == nil { names.append(name) }
                let old = sums[name]?[step / width] ?? (0, 0, 0)
                sums[name, default: [:]][step / width] = (old.step + Double(step), old.loss + loss, old.count + 1)
            }
            for (name, value) in json["evaluation"]?.object ?? [] {
                guard let figure = value.double else { continue }
                if measured[name] == nil { measures.append(name) }
                measured[name, default: ([], [])].steps.append(Double(step))
                measured[name, default: ([], [])].values.append(figure)
            }
            if json["best"]?.bool == true { bestStep = step }
        }
        losses = names.map { name in
            let stretches = (sums[name] ?? [:]).sorted { $0.key < $1.key }.map(\.value)
            return (name, stretches.map { $0.step / $0.count }, stretches.map { $0.loss / $0.count })
        }
        figures = measures.map { ($0, measured[$0]?.steps ?? [], measured[$0]?.values ?? []) }
    }
}
