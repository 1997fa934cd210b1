import Analysis
import Figures
import FileFormats
import Foundation
import Statistics

/// What a run of contrasts gathers for reports, tables and pictures.
struct ContrastRun {
    let measureName: String
    var results: [Contrast.Result] = []
    var notes: [String] = []
    var columns: [TableColumn] = []
    var rows: [[Cell]] = []
    var categories: [CategoryPlot.Category]?
    var isPaired = false
    var vectors: JSON?

    init(measureName: String) { self.measureName = measureName }

    mutating func add(_ result: Contrast.Result, _ first: (String, [Double])?, _ second: (String, [Double])?) {
        results.append(result)
        isPaired = result.isPaired
        for case let (name, values)? in [first, second] where categories?.contains(where: { $0.name == name }) != true {
            let interval = try? Bootstrap(.bca, resamples: 2000).meanEstimate(values).interval
            categories = (categories ?? []) + [.init(name, points: values, mean: mean(values), interval: interval ?? nil)]
        }
    }

    func adjusted() -> (holm: [Double], fdr: [Double]) {
        let p = results.map { $0.difference.p ?? .nan }
        return (MultipleComparisons.holm.adjusted(p), MultipleComparisons.benjaminiHochberg.adjusted(p))
    }

    func measure(_ isJapanese: Bool) -> String {
        switch measureName {
        case "cosine": isJapanese ? "平均コサイン類似度" : "mean cosine"
        case "association": isJapanese ? "連合の強さ" : "association"
        default: measureName
        }
    }
}

extension ContrastCommand {
    static func json(_ r: Contrast.Result, holm: Double, fdr: Double) -> JSON {
        func summary(_ s: Contrast.Summary?) -> JSON {
            s.map { .object([("mean", .number($0.mean)), ("sd", .number($0.deviation)), ("n", .integer($0.n))]) } ?? .null
        }
        func estimate(_ e: Estimate?) -> JSON {
            e.map {
                .object([
                    ("value", .number($0.value)),
                    ("interval_95", $0.interval.map { .array([.number($0.lowerBound), .number($0.upperBound)]) } ?? .null),
                ])
            } ?? .null
        }
        let e = r.difference
        return .object([
            ("name", .string(r.name)), ("paired", .bool(r.isPaired)), ("n", .integer(e.n)), ("first", summary(r.first)),
            ("second", summary(r.second)), ("difference", .number(e.value)),
            ("sd", r.deviation.map(JSON.number) ?? .null),
            ("interval_95", e.interval.map { .array([.number($0.lowerBound), .number($0.upperBound)]) } ?? .null),
            ("p", e.p.map(JSON.number) ?? .null), ("test", .string(e.method.test?.description ?? "")),
            ("rank_p", r.rank.map { .number($0.p) } ?? .null),
            ("rank_test", r.rank.map { .string($0.method.description) } ?? .null), (r.isPaired ? "d_z" : "d", estimate(r.effect)),
            ("cliffs_delta", estimate(r.delta)),
            ("p_holm", holm.isNaN ? .null : .number(holm)), ("p_fdr", fdr.isNaN ? .null : .number(fdr)),
        ])
    }

    static func line(_ r: Contrast.Result, holm: Double?) -> String {
        func range(_ i: ClosedRange<Double>?) -> String {
            i.map { " [\(Console.fixed($0.lowerBound, 4)), \(Console.fixed($0.upperBound, 4))]" } ?? ""
        }
        func p(_ value: Double) -> String { value < 0.0001 ? "p < .0001" : "p = \(Console.fixed(value, 4))" }
        var parts = ["\(r.name)\t\(Console.fixed(r.difference.value, 4)) 95 %\(range(r.difference.interval))"]
        if let p0 = r.difference.p { parts.append("\(p(p0)) (\(r.difference.method.test?.description ?? ""))") }
        if let holm { parts.append("Holm \(p(holm))") }
        if let rank = r.rank { parts.append("\(rank.method.description) \(p(rank.p))") }
        if let effect = r.effect { parts.append("\(r.isPaired ? "d_z" : "d") \(Console.fixed(effect.value, 3))\(range(effect.interval))") }
        if let delta = r.delta { parts.append("Cliff's δ \(Console.fixed(delta.value, 3))") }
        if let a = r.first, let b = r.second {
            parts.append(
                "means \(Console.fixed(a.mean, 4)) (SD \(Console.fixed(a.deviation, 4)), n \(a.n)) and \(Console.fixed(b.mean, 4)) (SD \(Console.fixed(b.deviation, 4)), n \(b.n))"
            )
        }
        return parts.joined(separator: "; ")
    }
}
