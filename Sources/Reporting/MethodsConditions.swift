import FileFormats
import Foundation

// Methods of contrasts, dissimilarity matrices, RSA, scaling, trees and encoding models.

extension MethodsText {
    mutating func describe(contrast: JSON) -> [String] {
        let resamples = Self.number(contrast["resamples"]) ?? "", permutations = Self.number(contrast["permutations"]) ?? "", seed = Self.number(contrast["seed"]) ?? "0"
        let several = (contrast["contrasts"]?.array?.count ?? 0) > 1, isPaired = contrast["contrasts"]?.array?.first?["paired"]?.bool == true
        let value = contrast["value"]?.string, item = contrast["item"]?.string ?? ""
        let unit = isPaired ? say("paired by item (\(item))", "項目（\(item)）を対応させて") : say("as independent samples", "独立標本として")
        let what = value.map { say("The column \($0)", "列「\($0)」") } ?? say("Cosines of the vectors, raw and after their mean was subtracted,", "ベクトルのコサイン類似度（そのままの値と、平均ベクトルを引いた後の値）")
        var result = [say(
            "\(what) were compared between conditions \(unit): 95 % intervals by the bias-corrected accelerated bootstrap\(cite(.acceleratedBootstrap)) over items (\(resamples) resamples), "
                + "p-values by permuting conditions \(isPaired ? "within items" : "over rows") (all arrangements where they are few, else \(permutations)\(cite(.permutation))), seed \(seed).",
            "\(what)を条件間で\(unit)比較した。95%信頼区間は項目を単位とするBCaブートストラップ\(cite(.acceleratedBootstrap))（\(resamples)回）により、p値は\(isPaired ? "項目内での条件の入れ替え" : "行の条件の並べ替え")"
                + "（場合の数が少なければ全通り、それ以外は\(permutations)回\(cite(.permutation))）による並べ替え検定で求めた（乱数の種\(seed)）。")]
        if several {
            result.append(say("p-values were adjusted by Holm's method\(cite(.holm)) and for the false discovery rate\(cite(.falseDiscovery)).",
                              "p値はHolmの方法\(cite(.holm))および偽発見率\(cite(.falseDiscovery))により調整した。"))
        }
        return result
    }

    mutating func describe(matrix: JSON) -> [String] {
        let metric = matrix["metric"]?.string ?? "", n = Self.number(matrix["conditions"]) ?? "", by = matrix["by"]?.string
        let of = by.map { say("the means of \(n) conditions (\($0))", "\(n)条件（\($0)）の平均ベクトル") } ?? say("\(n) rows", "\(n)個のベクトル")
        return [say("A matrix of \(metric) \(matrix["similarities"]?.bool == true ? "similarities" : "distances") was computed between \(of).",
                    "\(of)の間の\(metric)\(matrix["similarities"]?.bool == true ? "類似度" : "距離")行列を求めた。")]
    }

    mutating func describe(similarityAnalysis rsa: JSON) -> [String] {
        let comparison = rsa["comparison"]?.string ?? "", n = Self.number(rsa["conditions"]) ?? "", subjects = Self.number(rsa["subjects"]) ?? ""
        let permutations = Self.number(rsa["permutations"]) ?? "", resamples = Self.number(rsa["resamples"]) ?? "", drawn = rsa["bootstrap"]?.string ?? "conditions"
        let japanese = ["conditions": "条件", "subjects": "被験者", "both": "条件と被験者"][drawn] ?? drawn
        var result = [say(
            "Dissimilarity matrices of \(n) conditions were compared by representational similarity analysis\(cite(.similarityAnalysis)): the agreement (\(comparison)) of each model with each of "
                + "\(subjects) subjects was averaged; p-values come from \(permutations) permutations of conditions (one-sided)\(cite(.permutation)) and were adjusted for the false discovery rate\(cite(.falseDiscovery)), "
                + "95 % intervals from \(resamples) bootstrap resamples of \(drawn == "both" ? "conditions and subjects" : drawn).",
            "\(n)条件の非類似度行列を表象類似性解析\(cite(.similarityAnalysis))により比較した。各モデルと\(subjects)名の各被験者との一致度（\(comparison)）を平均し、p値は条件の並べ替え\(permutations)回（片側）\(cite(.permutation))により求めて"
                + "偽発見率で調整し\(cite(.falseDiscovery))、95%信頼区間は\(japanese)のブートストラップ\(resamples)回によった。")]
        if rsa["noise_ceiling"]?.array != nil {
            result.append(say("The noise ceiling was estimated as in\(cite(.noiseCeiling)).", "ノイズシーリングは\(cite(.noiseCeiling))の方法で推定した。"))
        }
        return result
    }

    mutating func describe(scaling mds: JSON) -> [String] {
        let n = Self.number(mds["conditions"]) ?? "", d = Self.number(mds["dimensions"]) ?? "2", stress = (mds["stress_1"]?.double).map { NumberText.fixed($0, 3) } ?? ""
        let form = mds["form"]?.string ?? "classical", japanese = ["classical": "古典的", "metric": "計量", "nonmetric": "非計量"][form] ?? form
        return [say("The \(n) conditions were laid out in \(d) dimensions by \(form) multidimensional scaling\(cite(.scaling))\(form == "classical" ? "" : " (SMACOF from the classical solution)"), stress-1 \(stress).",
                    "\(n)条件を\(japanese)多次元尺度構成法\(cite(.scaling))\(form == "classical" ? "" : "（古典的解を初期値とするSMACOF）")により\(d)次元に配置した（ストレス1は\(stress)）。")]
    }

    mutating func describe(tree: JSON) -> [String] {
        let rows = Self.number(tree["rows"]) ?? "", linkage = tree["linkage"]?.string ?? "", clusters = Self.number(tree["clusters"])
        let japanese = ["average": "群平均法", "complete": "最長距離法", "single": "最短距離法", "ward": "Ward法"][linkage] ?? linkage
        return [say("The \(rows) vectors were clustered hierarchically (\(linkage) linkage of cosine distances)\(clusters.map { ", cut into \($0) clusters" } ?? "").",
                    "\(rows)個のベクトルをコサイン距離の\(japanese)により階層的にクラスタリングした\(clusters.map { "（\($0)クラスタに分割）" } ?? "")。")]
    }

    mutating func describe(encoding: JSON) -> [String] {
        let items = Self.number(encoding["items"]) ?? "", voxels = Self.number(encoding["voxels"]) ?? ""
        let scaled = encoding["standardized"]?.bool == true
        if encoding["leave"]?.int == 2 {
            let alpha = Self.number(encoding["alpha"]) ?? ""
            return [say("Measurements (\(voxels)) of \(items) items were predicted from the vectors by ridge regression (penalty \(alpha)\(scaled ? ", features standardized within folds" : "")); each pair of items was left out in turn, "
                            + "and counted as correct where the right pairing had the larger sum of cosines\(cite(.nounMeaning)).",
                        "\(items)項目の\(voxels)個の測定値をリッジ回帰（正則化係数\(alpha)\(scaled ? "、特徴量は分割ごとに標準化" : "")）によりベクトルから予測した。すべての2項目の組を順に除いて学習し、正しい対応のコサインの和が大きければ正答とした\(cite(.nounMeaning))。")]
        }
        let folds = Self.number(encoding["folds"]) ?? ""
        return [say("Measurements (\(voxels)) of \(items) items were predicted from the vectors by ridge regression in \(folds) folds\(scaled ? ", features standardized within folds" : ""); the penalty of each measurement was chosen in inner folds.",
                    "\(items)項目の\(voxels)個の測定値をリッジ回帰によりベクトルから予測した（\(folds)分割交差検証\(scaled ? "、特徴量は分割ごとに標準化" : "")）。正則化係数は測定値ごとに内側の分割で選んだ。")]
    }
}
