import Analysis
import Figures
import FileFormats
import Foundation
import Representations
import Statistics

// Models against matrices over time.
extension RSACommand {
    func runTimeCourse(_ candidates: [(name: String, rdm: RDM)]) throws {
        let subjects = try data.map { path in
            (
                name: URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent.replacing(".rdm", with: ""),
                series: try RDMSeries(path: path)
            )
        }
        let rsa = RSA(method, permutations: permutations, bootstrap: .subjects, resamples: resamples, seed: seed, threads: threads)
        let course = try rsa.timeCourse(models: candidates, subjects: subjects)
        var record = provenance(seed: seed)
        record.inputs = try (models + data).map { try .init(hashing: DissimilarityOptions.path($0)) }
        record.settings = [
            ("method", .string("RSA")), ("comparison", .string(method.rawValue)), ("permutations", .integer(permutations)),
            ("bootstrap", .string("subjects")),
            ("resamples", .integer(resamples)), ("fdr", .number(fdr)), ("conditions", .integer(course.conditions)),
            ("subjects", .integer(course.subjects)),
            ("times", .array([.number(course.times[0]), .number(course.times[course.times.count - 1]), .integer(course.times.count)])),
            ("models", .array(course.models.map(summary(course)))),
        ]
        if output != nil || !report.json { try write(course, record) }
        for path in picture.figure { try draw(course, to: path, record) }
        if report.json { return try Console.print(JSON.object(record.settings).serialized(.pretty)) }
        guard !report.quiet else { return }
        for model in course.models {
            let peak = Self.peak(model), count = model.adjustedP.count { $0 <= fdr }
            Console.say(
                "\(model.name): peak \(method.rawValue) \(Console.fixed(model.estimates[peak].value, 4)) at \(course.times[peak]); \(count) of \(course.times.count) times significant (FDR \(fdr))"
                    + (spans(course, model).map { ": \($0)" } ?? ""))
        }
    }

    private static func peak(_ model: RSA.TimeCourse.Model) -> Int {
        model.estimates.indices.max { (model.estimates[$0].value, $1) < (model.estimates[$1].value, $0) } ?? 0
    }

    /// Runs of significant times.
    private func runs(_ model: RSA.TimeCourse.Model) -> [ClosedRange<Int>] {
        var result: [ClosedRange<Int>] = []
        for (time, p) in model.adjustedP.enumerated() where p <= fdr {
            if let last = result.last, last.upperBound == time - 1 {
                result[result.count - 1] = last.lowerBound...time
            } else {
                result.append(time...time)
            }
        }
        return result
    }

    private func spans(_ course: RSA.TimeCourse, _ model: RSA.TimeCourse.Model) -> String? {
        let runs = runs(model)
        return runs.isEmpty
            ? nil
            : runs.prefix(8).map { "\(course.times[$0.lowerBound]) to \(course.times[$0.upperBound])" }.joined(separator: ", ")
                + (runs.count > 8 ? ", …" : "")
    }

    private func summary(_ course: RSA.TimeCourse) -> (RSA.TimeCourse.Model) -> JSON {
        { model in
            let peak = Self.peak(model)
            return .object([
                ("name", .string(model.name)), ("peak", .number(model.estimates[peak].value)), ("peak_time", .number(course.times[peak])),
                ("peak_p_fdr", .number(model.adjustedP[peak])),
                (
                    "significant",
                    .array(runs(model).map { .array([.number(course.times[$0.lowerBound]), .number(course.times[$0.upperBound])]) })
                ),
            ])
        }
    }

    private func write(_ course: RSA.TimeCourse, _ record: Provenance) throws {
        let columns: [TableColumn] = [
            "kind", "time", "model", "model2", TableColumn("value", decimals: 4), TableColumn("low", decimals: 4),
            TableColumn("high", decimals: 4),
            TableColumn("p", decimals: 5), TableColumn("p_fdr", decimals: 5), "subjects", "conditions", "method",
        ]
        try ResultTable(columns, table).write(to: output, provenance: record) { append in
            func rows(_ kind: String, _ first: String, _ second: String?, _ estimates: [Estimate], _ adjusted: [Double]) throws {
                for (time, e) in estimates.enumerated() {
                    try append([
                        .text(kind), .number(course.times[time]), .text(first), Cell(second), .number(e.value),
                        Cell(e.interval?.lowerBound), Cell(e.interval?.upperBound), Cell(e.p),
                        Cell(adjusted[time].isNaN ? nil : adjusted[time]), .integer(course.subjects), .integer(course.conditions),
                        .text(e.method.description),
                    ])
                }
            }
            for model in course.models { try rows("model", model.name, nil, model.estimates, model.adjustedP) }
            for difference in course.differences {
                try rows("difference", difference.first, difference.second, difference.estimates, difference.adjustedP)
            }
            for (time, ceiling) in (course.ceiling ?? []).enumerated() {
                for (name, value) in [("lower", ceiling.lower), ("upper", ceiling.upper)] {
                    try append([
                        .text("noise ceiling"), .number(course.times[time]), .text(name), .missing, .number(value), .missing, .missing,
                        .missing, .missing,
                        .integer(course.subjects), .integer(course.conditions), .text(method.rawValue),
                    ])
                }
            }
        }
    }

    private func draw(_ course: RSA.TimeCourse, to path: String, _ record: Provenance) throws {
        var options = LineChart.Options()
        options.page.width = try Length(parsing: picture.width)
        options.page.language = picture.isJapanese ? .japanese : .english
        options.title = picture.title
        options.xTitle = picture.isJapanese ? "時間" : "time"
        options.yTitle = picture.isJapanese ? "データとの一致（\(method.rawValue)）" : "agreement with data (\(method.rawValue))"
        options.horizontalMarks = [(0, "")]
        if let ceiling = course.ceiling {
            options.shade = (
                course.times, ceiling.map { min($0.lower, $0.upper) }, ceiling.map { max($0.lower, $0.upper) },
                picture.isJapanese ? "ノイズシーリング" : "noise ceiling"
            )
        }
        options.spans = course.models.enumerated().flatMap { number, model in
            runs(model).map { (number, course.times[$0.lowerBound], course.times[$0.upperBound]) }
        }
        let series = course.models.map { model in
            LineChart.Series(
                model.name, x: course.times, y: model.estimates.map(\.value),
                band: model.estimates.allSatisfy { $0.interval != nil }
                    ? (model.estimates.map { $0.interval?.lowerBound ?? .nan }, model.estimates.map { $0.interval?.upperBound ?? .nan })
                    : nil)
        }
        try LineChart(series, options: options).write(to: URL(fileURLWithPath: path))
        try record.write(beside: path)
    }
}
