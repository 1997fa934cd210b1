import FileFormats
import Foundation

/// Sentences for a Results section, in English or Japanese, from the record of a result. Numbers are those of the record.
package struct ResultsText {
    /// The sentences.
    package let paragraph: String

    /// - Throws: `DataError` if the record contains no results that can be reported.
    package init(_ facts: MethodsFacts, language: MethodsText.Language) throws {
        let record = facts.record, words = Words(isJapanese: language == .ja)
        let sentences: [String]
        switch record["method"]?.string {
        case "contrast":
            sentences = (record["contrasts"]?.array ?? []).map { words.contrast($0, isOne: record["contrasts"]?.array?.count == 1) }
        case "RSA": sentences = words.similarityAnalysis(record)
        case "MDS": sentences = words.scaling(record)
        case "encoding model": sentences = words.encoding(record)
        case "classifier evaluation": sentences = words.classifier(record)
        case "multi-task training": sentences = words.tasks(record)
        case "naming simulation": sentences = words.naming(record)
        default:
            throw DataError(
                .usage,
                "the record of this file contains no results of a contrast, RSA, MDS, encoding model, classifier or naming simulation")
        }
        paragraph = sentences.joined(separator: language == .en ? " " : "")
    }

    /// One sentence per person and variant of the naming model, and one on how the variants compare where there are two.
    ///
    /// - Parameter record: with the fits, as `simulate naming` writes it beside its table.
    package static func naming(_ record: JSON, language: MethodsText.Language) -> [String] {
        Words(isJapanese: language == .ja).naming(record)
    }
}

private struct Words {
    let isJapanese: Bool

    func say(_ english: String, _ japanese: String) -> String { isJapanese ? japanese : english }

    /// Without the zero before the point where a value cannot exceed 1, as journals of psychology print it.
    private func share(_ value: Double, _ digits: Int = 3) -> String {
        let text = NumberText.fixed(value, digits)
        guard !isJapanese, let zero = text.range(of: "0."), text[..<zero.lowerBound].allSatisfy({ !$0.isNumber }) else { return text }
        return text.replacingCharacters(in: zero, with: ".")
    }

    private func p(_ value: JSON?) -> String {
        guard let value = value?.double else { return say("p not available", "pは得られなかった") }
        return value < 0.001 ? "p < \(say(".001", "0.001"))" : "p = \(share(value))"
    }

    private func interval(_ value: JSON?) -> String {
        guard let ends = value?.array?.compactMap(\.double), ends.count == 2 else { return "" }
        return say(
            ", 95 % CI [\(NumberText.fixed(ends[0], 3)), \(NumberText.fixed(ends[1], 3))]",
            "、95% CI [\(NumberText.fixed(ends[0], 3)), \(NumberText.fixed(ends[1], 3))]")
    }

    func contrast(_ c: JSON, isOne: Bool) -> String {
        let name = c["name"]?.string ?? "", difference = NumberText.fixed(c["difference"]?.double ?? .nan, 3), n = c["n"]?.int ?? 0
        let isPaired = c["paired"]?.bool == true
        func summary(_ key: String) -> String? {
            guard let mean = c[key]?["mean"]?.double, let deviation = c[key]?["sd"]?.double else { return nil }
            return "M = \(NumberText.fixed(mean, 3)), SD = \(NumberText.fixed(deviation, 3))"
        }
        let means = [summary("first"), summary("second")].compactMap { $0 }
        var text = say(
            "\(subject(name)) \(difference)\(interval(c["interval_95"])), \(p(c["p"]))",
            "\(subject(name))\(difference)であった（\(interval(c["interval_95"]).dropFirst())、\(p(c["p"]))")
        text += say(
            " (\(c["test"]?.string ?? ""); n = \(n) \(isPaired ? "items" : "sentences")",
            "、\(c["test"]?.string.map(japanese) ?? "")、n = \(n)")
        if means.count == 2 { text += say("; \(means[0]) against \(means[1])", "、\(means[0])対\(means[1])") }
        text += say(")", "")
        for (key, symbol) in [("d_z", "d_z"), ("d", "d")] {
            if let value = c[key]?["value"]?.double {
                text += say(
                    ", \(symbol) = \(NumberText.fixed(value, 2))\(interval(c[key]?["interval_95"]))",
                    "、\(symbol) = \(NumberText.fixed(value, 2))\(interval(c[key]?["interval_95"]))")
            }
        }
        if let rank = c["rank_test"]?.string { text += say("; \(rank), \(p(c["rank_p"]))", "、\(japanese(rank))で\(p(c["rank_p"]))") }
        if !isOne, c["p_holm"]?.double != nil { text += say("; Holm-adjusted \(p(c["p_holm"]))", "、Holm法で調整した\(p(c["p_holm"]))") }
        return text + say(".", "）。")
    }

    /// The beginning of a sentence about a contrast, made from the contrast's label, up to its difference.
    private func subject(_ label: String) -> String {
        func measure(_ name: Substring) -> String {
            let japanese = [
                "cosine": "コサイン類似度", "centred cosine": "中心化したコサイン類似度", "overlap": "語の重なり",
                "cosine without overlap and length": "重なりと文長の影響を除いたコサイン類似度", "length in characters": "文字数",
            ]
            return say(String(name), japanese[String(name)] ?? String(name))
        }
        if let match = label.wholeMatch(of: /(.+), (.+) and (.+): within − between/) {
            let (_, what, a, b) = match.output
            return say("Mean \(measure(what)) within minus between conditions (\(a), \(b)) was", "\(a)と\(b)の条件内と条件間の\(measure(what))の平均の差は")
        }
        if let match = label.wholeMatch(of: /(.+), (.+) and (.+): within first − within second/) {
            let (_, what, a, b) = match.output
            return say("Mean \(measure(what)) within \(a) minus within \(b) was", "\(a)内と\(b)内の\(measure(what))の平均の差は")
        }
        if let match = label.wholeMatch(of: /(.+): (.+) − (.+)/) {
            let (_, what, a, b) = match.output
            return say("The difference in \(measure(what)) between \(a) and \(b) was", "\(measure(what))の\(a)と\(b)の差は")
        }
        return say("\(label): the difference was", "\(label)の差は")
    }

    private func japanese(_ test: String) -> String {
        test.replacingOccurrences(of: "permutation test", with: "並べ替え検定").replacingOccurrences(of: "exact, ", with: "全")
            .replacingOccurrences(of: "exact", with: "正確検定")
            .replacingOccurrences(of: "Wilcoxon signed-rank test", with: "Wilcoxonの符号付順位検定").replacingOccurrences(
                of: "Mann–Whitney U test", with: "Mann–WhitneyのU検定")
    }

    func similarityAnalysis(_ record: JSON) -> [String] {
        if record["times"]?.array != nil {
            return (record["models"]?.array ?? []).map { model in
                let name = model["name"]?.string ?? "", peak = share(model["peak"]?.double ?? .nan),
                    time = model["peak_time"]?.double ?? .nan
                let spans = (model["significant"]?.array ?? []).compactMap { $0.array?.compactMap(\.double) }.filter { $0.count == 2 }
                let when = spans.map { say("\($0[0]) to \($0[1])", "\($0[0])から\($0[1])") }.joined(separator: say(", ", "、"))
                return say(
                    "\(name) agreed best with the data at \(time) (\(peak)); \(spans.isEmpty ? "it was significant at no time" : "it was significant from \(when)") (FDR-adjusted).",
                    "\(name)とデータとの一致度は\(time)で最大（\(peak)）であり、\(spans.isEmpty ? "有意な時点はなかった" : "\(when)で有意であった")（偽発見率で調整）。")
            }
        }
        var sentences = (record["models"]?.array ?? []).map { model in
            let name = model["name"]?.string ?? "", value = share(model["value"]?.double ?? .nan)
            return say("\(name) agreed with the data at \(value), \(p(model["p"])).", "\(name)とデータとの一致度は\(value)であった（\(p(model["p"]))）。")
        }
        if let ceiling = record["noise_ceiling"]?.array?.compactMap(\.double), ceiling.count == 2 {
            sentences.append(
                say(
                    "The noise ceiling lay between \(share(ceiling[0])) and \(share(ceiling[1])).",
                    "ノイズシーリングは\(share(ceiling[0]))から\(share(ceiling[1]))であった。"))
        }
        return sentences
    }

    func scaling(_ record: JSON) -> [String] {
        if let maps = record["maps"]?.array {
            return maps.map { map in
                let name = map["name"]?.string ?? "", stress = share(map["stress_1"]?.double ?? .nan),
                    disparity = share(map["disparity"]?.double ?? .nan)
                return say(
                    "The map of \(name) had a stress-1 of \(stress) and a disparity of \(disparity) from the mean map.",
                    "\(name)の地図のストレス1は\(stress)、平均の地図からの不一致度は\(disparity)であった。")
            }
        }
        let stress = share(record["stress_1"]?.double ?? .nan), n = record["conditions"]?.int ?? 0, d = record["dimensions"]?.int ?? 2
        return [say("A \(d)-dimensional solution for \(n) conditions had a stress-1 of \(stress).", "\(n)条件の\(d)次元解のストレス1は\(stress)であった。")]
    }

    func encoding(_ record: JSON) -> [String] {
        if let accuracy = record["accuracy"]?.double {
            let test = record["p"]?.double == nil ? "" : say(", \(p(record["p"])) by permuting items", "（項目の並べ替えで\(p(record["p"]))）")
            return [
                say(
                    "The right pairing was found for \(NumberText.fixed(100 * accuracy, 1)) % of the pairs\(test).",
                    "すべての組のうち\(NumberText.fixed(100 * accuracy, 1))%で正しい対応が選ばれた\(test)。")
            ]
        }
        return [
            say(
                "The mean correlation of predicted and measured values was \(share(record["mean_r"]?.double ?? .nan)).",
                "予測値と測定値の相関の平均は\(share(record["mean_r"]?.double ?? .nan))であった。")
        ]
    }

    /// Estimates of each person with their intervals, then BIC where both variants were fitted.
    func naming(_ record: JSON) -> [String] {
        let fits = record["fits"]?.array ?? []
        func digits(_ value: JSON?) -> String? { value?.double.map { String(format: "%.3g", $0) } }
        func estimate(_ parameter: JSON) -> String {
            let name = parameter["name"]?.string ?? "", value = digits(parameter["value"]) ?? ""
            let interval =
                switch (digits(parameter["low"]), digits(parameter["high"])) {
                case (let low?, let high?): say("95 % interval [\(low), \(high)]", "95%区間[\(low), \(high)]")
                case (let low?, nil): say("at least \(low) with 95 % confidence, no upper bound", "95%区間の下限は\(low)、上限は定まらない")
                case (nil, let high?): say("at most \(high) with 95 % confidence, no lower bound", "95%区間の上限は\(high)、下限は定まらない")
                case (nil, nil): say("not identified", "定まらない")
                }
            return say("\(name) = \(value) (\(interval))", "\(name) = \(value)（\(interval)）")
        }
        var sentences = fits.map { fit -> String in
            let person = fit["patient"]?.string ?? "", model = (fit["variant"]?.string ?? "").uppercased(),
                parameters = (fit["parameters"]?.array ?? []).map(estimate)
            let n = Int((fit["responses"]?.double ?? 0).rounded()), rmsd = share(fit["rmsd"]?.double ?? .nan)
            let test = "G²(\(fit["freedom"]?.int ?? 0)) = \(NumberText.fixed(fit["g2"]?.double ?? .nan, 2)), \(p(fit["p"]))"
            return say(
                "For \(person), the \(model) model's maximum-likelihood estimates from \(n) responses were \(parameters.joined(separator: " and ")); RMSD \(rmsd), \(test).",
                "\(person)の\(n)反応に対する\(model)モデルの最尤推定値は\(parameters.joined(separator: "、"))であり、観測値とのRMSDは\(rmsd)、\(test)であった。")
        }
        let people = fits.compactMap { $0["patient"]?.string }
        for (k, person) in people.enumerated() where people.firstIndex(of: person) == k {
            let own = fits.filter { $0["patient"]?.string == person }.compactMap { fit in
                fit["bic"]?.double.map { (name: (fit["variant"]?.string ?? "").uppercased(), bic: $0) }
            }
            guard own.count == 2, let best = own.min(by: { $0.bic < $1.bic }), let other = own.max(by: { $0.bic < $1.bic }) else {
                continue
            }
            let difference = NumberText.fixed(other.bic - best.bic, 1)
            // Raftery's reading of differences in BIC: below 2 is not worth more than a bare mention.
            sentences.append(
                other.bic - best.bic < 2
                    ? say(
                        "For \(person), BIC does not decide between the variants (difference \(difference)).",
                        "\(person)では、BICの差は\(difference)で、2つのモデルの優劣は決まらない。")
                    : say(
                        "For \(person), BIC was lower for the \(best.name) model by \(difference).",
                        "\(person)では、\(best.name)モデルのBICが\(difference)低かった。"))
        }
        return sentences
    }

    /// Figures of the classifier, then how it compares with each that stands beside it.
    func classifier(_ record: JSON) -> [String] {
        guard let own = record["classifiers"]?.array?.last else { return [] }
        let isRegression = record["task"]?.string == "regression", isMultilabel = record["task"]?.string == "multilabel"
        let measures: [(key: String, name: String)] =
            isRegression
            ? [("pearson", "r"), ("spearman", say("Spearman's ρ", "Spearmanのρ"))]
            : isMultilabel
                ? [("micro_f1", say("micro-F1", "マイクロF1")), ("macro_f1", say("macro-F1", "マクロF1"))]
                : [
                    ("accuracy", say("accuracy", "正答率")), ("matthews", say("Matthews' correlation", "Matthewsの相関係数")),
                    ("macro_f1", say("macro-F1", "マクロF1")),
                ]
        func figure(_ key: String, _ name: String, of classifier: JSON) -> String? {
            guard let value = classifier[key]?["value"]?.double else { return nil }
            let deviation = classifier[key]?["seed_sd"]?.double.map { say(", SD over seeds \(share($0))", "、種間SD \(share($0))") } ?? ""
            return "\(name) = \(share(value))\(interval(classifier[key]?["interval_95"]))\(deviation)"
        }
        let n = record["rows"]?.int ?? 0, found = measures.compactMap { figure($0.key, $0.name, of: own) }
        let unit = record["groups"]?.int.map { say(" (\($0) groups)", "（\($0)群）") } ?? ""
        var sentences = [
            say(
                "On \(n) rows\(unit), the classifier reached \(found.joined(separator: "; ")).",
                "\(n)行\(unit)に対する分類器の成績は、\(found.joined(separator: "、"))であった。")
        ]
        for comparison in record["comparisons"]?.array ?? [] {
            guard let difference = comparison["difference"]?.double else { continue }
            let measure = measures.first { $0.key == record["measure"]?.string }?.name ?? "",
                other = name(comparison["second"]?.string ?? "")
            var text = say(
                "Its \(measure) exceeded that of \(other) by \(share(difference))\(interval(comparison["interval_95"])), \(p(comparison["p_bootstrap"]))",
                "\(other)との\(measure)の差は\(share(difference))\(interval(comparison["interval_95"]))、\(p(comparison["p_bootstrap"]))")
            if difference < 0 {
                text = say(
                    "Its \(measure) was below that of \(other) by \(share(-difference)) (difference \(share(difference))\(interval(comparison["interval_95"]))), \(p(comparison["p_bootstrap"]))",
                    text)
            }
            if let first = comparison["only_first_right"]?.int, let second = comparison["only_second_right"]?.int {
                text += say(
                    "; \(first) rows were right with it alone and \(second) with the other alone (McNemar's exact test, \(p(comparison["p_mcnemar"])))",
                    "であり、一方のみが正答した行は\(first)対\(second)（McNemarの正確検定、\(p(comparison["p_mcnemar"]))）")
            }
            sentences.append(text + say(".", "であった。"))
        }
        if let error = own["expected_calibration_error"]?.double {
            sentences.append(say("The expected calibration error was \(share(error)).", "期待較正誤差は\(share(error))であった。"))
        }
        return sentences
    }

    /// The same of each task in turn, after its name.
    func tasks(_ record: JSON) -> [String] {
        (record["tasks"]?.array ?? []).flatMap { task in
            let sentences = classifier(task), name = task["name"]?.string ?? ""
            return sentences.prefix(1).map { say("Task \(name): \($0)", "課題「\(name)」では、\($0)") } + sentences.dropFirst()
        }
    }

    private func name(_ classifier: String) -> String {
        switch classifier {
        case "majority": return say("the most frequent class", "最頻クラス")
        case "character TF–IDF": return say("character n-grams", "文字n-gram")
        default:
            let model = classifier.dropFirst(7)
            return classifier.hasPrefix("frozen ")
                ? say("a linear model on frozen vectors (\(model))", "固定ベクトル（\(model)）の線形モデル") : classifier
        }
    }
}
