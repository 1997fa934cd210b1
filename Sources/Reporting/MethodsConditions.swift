import FileFormats
import Foundation

// Methods of contrasts, dissimilarity matrices, RSA, scaling, trees and encoding models.

extension MethodsText {
    mutating func describe(contrast: JSON) -> [String] {
        let resamples = Self.number(contrast["resamples"]) ?? "", permutations = Self.number(contrast["permutations"]) ?? "",
            seed = Self.number(contrast["seed"]) ?? "0"
        let several = (contrast["contrasts"]?.array?.count ?? 0) > 1,
            isPaired = contrast["contrasts"]?.array?.first?["paired"]?.bool == true
        let value = contrast["value"]?.string, item = contrast["item"]?.string ?? ""
        let unit = isPaired ? say("paired by item (\(item))", "項目（\(item)）を対応させて") : say("as independent samples", "独立標本として")
        let what =
            value.map { say("The column \($0)", "列「\($0)」") }
            ?? say("Cosines of the vectors, raw and after subtracting their mean,", "ベクトルのコサイン類似度（そのままの値と、平均ベクトルを引いた後の値）")
        var result = [
            say(
                "\(what) were compared between conditions \(unit): 95 % intervals by the bias-corrected accelerated bootstrap\(cite(.acceleratedBootstrap)) over items (\(resamples) resamples), "
                    + "p-values by permuting conditions \(isPaired ? "within items" : "over rows") (all permutations if feasible, otherwise \(permutations)\(cite(.permutation))), seed \(seed).",
                "\(what)を条件間で\(unit)比較した。95%信頼区間は項目を単位とするBCaブートストラップ\(cite(.acceleratedBootstrap))（\(resamples)回）により、p値は\(isPaired ? "項目内での条件の入れ替え" : "行の条件の並べ替え")"
                    + "（場合の数が少なければ全通り、それ以外は\(permutations)回\(cite(.permutation))）による並べ替え検定で求めた（シード\(seed)）。")
        ]
        if let toward = contrast["toward"]?.string, value == nil {
            let ends = toward.split(separator: ":").map(String.init), work = cite(.embeddingAssociation)
            result.append(
                say(
                    "The value compared is the association of each row: its mean cosine to the rows of \(ends.first ?? "") "
                        + "minus that to the rows of \(ends.last ?? "")\(work).",
                    "比較した値は各行の連合の強さ、すなわち\(ends.first ?? "")の行との平均コサイン類似度から\(ends.last ?? "")の行とのそれを引いたもの\(work)である。"))
        } else if value == nil {
            result.append(
                say(
                    "Cosines with word overlap and length difference of each pair regressed out are reported as well.",
                    "各対の語の重なりと文長の差の影響を最小二乗法により除いたコサイン類似度も併せて報告した。"))
        }
        if several {
            result.append(
                say(
                    "p-values were adjusted by Holm's method\(cite(.holm)) and for the false discovery rate\(cite(.falseDiscovery)).",
                    "p値はHolmの方法\(cite(.holm))および偽発見率\(cite(.falseDiscovery))により調整した。"))
        }
        return result
    }

    mutating func describe(matrix: JSON) -> [String] {
        let metric = matrix["metric"]?.string ?? "", n = Self.number(matrix["conditions"]) ?? "", by = matrix["by"]?.string,
            times = Self.number(matrix["times"])
        let each = times.map { say(" at each of \($0) times", "（\($0)時点のそれぞれ）") } ?? ""
        if let trials = Self.number(matrix["trials"]) {
            let channels = Self.number(matrix["channels"]) ?? "", folds = Self.number(matrix["folds"]) ?? ""
            var result: [String]
            switch metric {
            case "crossnobis":
                result = [
                    say(
                        "Cross-validated squared Mahalanobis distances\(cite(.crossnobis)) of \(n) conditions were computed from \(trials) trials (\(channels) channels, \(folds) folds)\(each).",
                        "\(n)条件の交差検証マハラノビス距離（平方）\(cite(.crossnobis))を\(trials)試行（\(channels)チャンネル、\(folds)分割）から求めた\(each)。")
                ]
            case "decoding":
                result = [
                    say(
                        "Pairs of \(n) conditions were classified by a linear discriminant in \(trials) trials (\(channels) channels), trained on all but one of \(folds) folds and tested on the remaining one; the dissimilarity is the accuracy\(each).",
                        "\(n)条件の各対を線形判別により識別し（\(trials)試行、\(channels)チャンネル、\(folds)分割の交差検証）、その正答率を非類似度とした\(each)。")
                ]
            case "mahalanobis":
                result = [
                    say(
                        "Squared Mahalanobis distances between the means of \(n) conditions were computed from \(trials) trials (\(channels) channels)\(each).",
                        "\(trials)試行（\(channels)チャンネル）の\(n)条件の平均の間のマハラノビス距離（平方）を求めた\(each)。")
                ]
            default:
                result = [
                    say(
                        "\(metric.capitalized) distances between the means of \(n) conditions were computed from \(trials) trials (\(channels) channels)\(each).",
                        "\(trials)試行（\(channels)チャンネル）の\(n)条件の平均の間の\(metric)距離を求めた\(each)。")
                ]
            }
            if let shrinkage = matrix["shrinkage"]?.string {
                let shared = matrix["noise"]?.string != "each time" && times != nil
                let how =
                    shrinkage == "diagonal"
                    ? say("shrunk toward its diagonal\(cite(.diagonalShrinkage))", "対角行列へ縮小した\(cite(.diagonalShrinkage))")
                    : shrinkage == "identity"
                        ? say(
                            "shrunk toward a multiple of the identity\(cite(.identityShrinkage))",
                            "単位行列の定数倍へ縮小した\(cite(.identityShrinkage))") : say("not shrunk", "縮小しない")
                result.append(
                    say(
                        "The noise covariance of channels within conditions was \(how)\(shared ? " and averaged over times\(cite(.noiseNormalization))" : "").",
                        "ノイズの共分散は条件内のチャンネル間の共分散を\(how)もの\(shared ? "の全時点の平均\(cite(.noiseNormalization))" : "")である。"))
            }
            return result
        }
        let of = by.map { say("the means of \(n) conditions (\($0))", "\(n)条件（\($0)）の平均ベクトル") } ?? say("\(n) rows", "\(n)個のベクトル")
        return [
            say(
                "A matrix of \(metric) \(matrix["similarities"]?.bool == true ? "similarities" : "distances") was computed between \(of)\(each).",
                "\(of)の間の\(metric)\(matrix["similarities"]?.bool == true ? "類似度" : "距離")行列を求めた\(each)。")
        ]
    }

    mutating func describe(similarityAnalysis rsa: JSON) -> [String] {
        let comparison = rsa["comparison"]?.string ?? "", n = Self.number(rsa["conditions"]) ?? "",
            subjects = Self.number(rsa["subjects"]) ?? ""
        let permutations = Self.number(rsa["permutations"]) ?? "", resamples = Self.number(rsa["resamples"]) ?? "",
            drawn = rsa["bootstrap"]?.string ?? "conditions"
        let japanese = ["conditions": "条件", "subjects": "被験者", "both": "条件と被験者"][drawn] ?? drawn
        var result = [
            say(
                "Dissimilarity matrices of \(n) conditions were compared by representational similarity analysis\(cite(.similarityAnalysis)): the agreement (\(comparison)) of each model with "
                    + "\(subjects == "1" ? "the data was computed" : "each of \(subjects) subjects was averaged"); p-values come from \(permutations) permutations of conditions (one-sided)\(cite(.permutation)) and were adjusted for the false discovery rate\(cite(.falseDiscovery)), "
                    + "95 % intervals from \(resamples) bootstrap resamples of \(drawn == "both" ? "conditions and subjects" : drawn).",
                "\(n)条件の非類似度行列を表象類似性解析\(cite(.similarityAnalysis))により比較した。\(subjects == "1" ? "各モデルとデータとの一致度（\(comparison)）を求め" : "各モデルと\(subjects)名の各被験者との一致度（\(comparison)）を平均し")、p値は条件の並べ替え\(permutations)回（片側）\(cite(.permutation))により求めて"
                    + "偽発見率で調整し\(cite(.falseDiscovery))、95%信頼区間は\(japanese)のブートストラップ\(resamples)回によった。")
        ]
        if let times = rsa["times"]?.array?.compactMap(\.double), times.count == 3 {
            result = [
                say(
                    "Dissimilarity matrices of \(n) conditions were compared over time by representational similarity analysis\(cite(.similarityAnalysis)): at each of \(Int(times[2])) times from \(times[0]) to \(times[1]) "
                        + "the agreement (\(comparison)) of each model with each of \(subjects) subjects was averaged. p-values come from \(permutations) permutations of conditions (one-sided)\(cite(.permutation)), the same at all times, "
                        + "and were adjusted over times for the false discovery rate\(cite(.falseDiscovery))\(subjects == "1" || subjects == "2" ? "" : "; 95 % intervals come from \(resamples) bootstrap resamples of subjects").",
                    "\(n)条件の非類似度行列を時点ごとに表象類似性解析\(cite(.similarityAnalysis))により比較した。\(times[0])から\(times[1])までの\(Int(times[2]))時点のそれぞれで、各モデルと\(subjects)名の各被験者との一致度（\(comparison)）を平均した。"
                        + "p値は条件の並べ替え\(permutations)回（片側、全時点に共通）\(cite(.permutation))により求め、時点間で偽発見率を調整した\(cite(.falseDiscovery))\(subjects == "1" || subjects == "2" ? "" : "。95%信頼区間は被験者のブートストラップ\(resamples)回によった")。"
                )
            ]
            if subjects != "1" {
                result.append(
                    say("The noise ceiling was estimated as in\(cite(.noiseCeiling)).", "ノイズシーリングは\(cite(.noiseCeiling))の方法で推定した。"))
            }
            return result
        }
        if rsa["noise_ceiling"]?.array != nil {
            result.append(say("The noise ceiling was estimated as in\(cite(.noiseCeiling)).", "ノイズシーリングは\(cite(.noiseCeiling))の方法で推定した。"))
        }
        return result
    }

    mutating func describe(scaling mds: JSON) -> [String] {
        let n = Self.number(mds["conditions"]) ?? "", d = Self.number(mds["dimensions"]) ?? "2",
            stress = (mds["stress_1"]?.double).map { NumberText.fixed($0, 3) } ?? ""
        let form = mds["form"]?.string ?? "classical", japanese = ["classical": "古典的", "metric": "計量", "nonmetric": "非計量"][form] ?? form
        if let maps = mds["maps"]?.array {
            let smacof = form == "classical" ? say("", "") : say(" (SMACOF from the classical solution)", "（古典的解を初期値とするSMACOF）")
            return [
                say(
                    "\(maps.count) dissimilarity matrices of \(n) conditions were each mapped to \(d) dimensions by \(form) multidimensional scaling\(cite(.scaling))\(smacof); the maps were aligned with their mean by generalized Procrustes analysis\(cite(.procrustes)).",
                    "\(n)条件の\(maps.count)個の非類似度行列をそれぞれ\(japanese)多次元尺度構成法\(cite(.scaling))\(smacof)により\(d)次元に配置し、一般化プロクラステス分析\(cite(.procrustes))により重ね合わせた。"
                )
            ]
        }
        return [
            say(
                "The \(n) conditions were mapped to \(d) dimensions by \(form) multidimensional scaling\(cite(.scaling))\(form == "classical" ? "" : " (SMACOF from the classical solution)"), stress-1 \(stress).",
                "\(n)条件を\(japanese)多次元尺度構成法\(cite(.scaling))\(form == "classical" ? "" : "（古典的解を初期値とするSMACOF）")により\(d)次元に配置した（ストレス1は\(stress)）。"
            )
        ]
    }

    mutating func describe(tree: JSON) -> [String] {
        let rows = Self.number(tree["rows"]) ?? "", linkage = tree["linkage"]?.string ?? "", clusters = Self.number(tree["clusters"])
        let japanese = ["average": "群平均法", "complete": "最長距離法", "single": "最短距離法", "ward": "Ward法"][linkage] ?? linkage
        return [
            say(
                "The \(rows) vectors were clustered hierarchically (\(linkage) linkage of cosine distances)\(clusters.map { ", cut into \($0) clusters" } ?? "").",
                "\(rows)個のベクトルをコサイン距離の\(japanese)により階層的にクラスタリングした\(clusters.map { "（\($0)クラスターに分割）" } ?? "")。")
        ]
    }

    mutating func describe(encoding: JSON) -> [String] {
        let items = Self.number(encoding["items"]) ?? "", voxels = Self.number(encoding["voxels"]) ?? "",
            permutations = Self.number(encoding["permutations"]) ?? "0"
        let scaled = encoding["standardized"]?.bool == true
        var result: [String]
        if encoding["leave"]?.int == 2 {
            let alpha = Self.number(encoding["alpha"]) ?? ""
            result = [
                say(
                    "Measurements (\(voxels)) of \(items) items were predicted from the vectors by ridge regression (penalty \(alpha)\(scaled ? ", features standardized within folds" : "")); each pair of items was left out in turn, "
                        + "and counted as correct if the correct pairing had the larger sum of cosines\(cite(.nounMeaning)).",
                    "\(items)項目の\(voxels)個の測定値をリッジ回帰（正則化係数\(alpha)\(scaled ? "、特徴量は分割ごとに標準化" : "")）によりベクトルから予測した。すべての2項目の組を順に除いて学習し、正しい対応のコサインの和が大きければ正答とした\(cite(.nounMeaning))。"
                )
            ]
            if permutations != "0" {
                result.append(
                    say(
                        "The p-value comes from \(permutations) permutations of items\(cite(.permutation)).",
                        "p値は項目の並べ替え\(permutations)回により求めた\(cite(.permutation))。"))
            }
        } else {
            let folds = Self.number(encoding["folds"]) ?? ""
            result = [
                say(
                    "Measurements (\(voxels)) of \(items) items were predicted from the vectors by ridge regression in \(folds) folds\(scaled ? ", features standardized within folds" : ""); the penalty of each measurement was chosen in inner folds.",
                    "\(items)項目の\(voxels)個の測定値をリッジ回帰によりベクトルから予測した（\(folds)分割交差検証\(scaled ? "、特徴量は分割ごとに標準化" : "")）。正則化係数は測定値ごとに内側の分割で選んだ。")
            ]
            if let bands = Self.number(encoding["bands"]) {
                result.append(
                    say(
                        "The \(bands) feature spaces had separate penalties (banded ridge regression\(cite(.bandedRidge))).",
                        "\(bands)個の特徴空間には別々の正則化係数を用いた（バンド付きリッジ回帰\(cite(.bandedRidge))）。"))
            }
            if permutations != "0" {
                result.append(
                    say(
                        "p-values come from \(permutations) permutations of rows within folds (one-sided)\(cite(.permutation)) and were adjusted for the false discovery rate\(cite(.falseDiscovery)).",
                        "p値は分割内での行の並べ替え\(permutations)回（片側）\(cite(.permutation))により求め、偽発見率で調整した\(cite(.falseDiscovery))。"))
            }
        }
        if let repeats = encoding["repetitions"]?.int, repeats > 1 {
            result.append(
                say(
                    "Measurements are means of \(repeats) repetitions\(encoding["leave"]?.int == 2 ? "" : ", whose reliability gave each measurement's noise ceiling").",
                    "測定値は\(repeats)回の反復の平均である\(encoding["leave"]?.int == 2 ? "" : "。反復の信頼性から測定値ごとのノイズシーリングを求めた")。"))
        }
        if let stable = Self.number(encoding["stable"]) {
            result.append(
                say(
                    "Only the \(stable) measurements whose repetitions agreed best over the training items of each fold were used\(cite(.nounMeaning)).",
                    "各分割の学習項目で反復間の一致が最も高い\(stable)個の測定値のみを用いた\(cite(.nounMeaning))。"))
        }
        return result
    }
}
