import FileFormats
import Foundation

// Methods of classifiers and autoencoders.

extension MethodsText {
    /// How a classifier came about, was measured, and against what.
    mutating func describe(classifier: JSON) -> [String] {
        let rows = Self.number(classifier["rows"]) ?? "", task = classifier["task"]?.string ?? "classification",
            isRegression = task == "regression"
        let labels = classifier["labels"]?.array?.compactMap(\.string) ?? [], groups = Self.number(classifier["groups"])
        let unit = say(classifier["pairs"]?.bool == true ? "pairs of texts" : "texts", classifier["pairs"]?.bool == true ? "文対" : "文")
        let what =
            isRegression
            ? say("the numbers of \(rows) \(unit)", "\(rows)\(unit)の数値")
            : say(
                "the labels (\(labels.joined(separator: ", "))) of \(rows) \(unit)", "\(rows)\(unit)のラベル（\(labels.joined(separator: "、"))）")
        var result: [String] = []
        switch classifier["training"]?.string {
        case "frozen":
            let model =
                isRegression
                ? say("ridge regression", "リッジ回帰") : say("multinomial logistic regression with an L2 penalty", "L2正則化を伴う多項ロジスティック回帰")
            result.append(
                say(
                    "On these frozen vectors, \(model) was trained to predict \(what); the strength of the penalty was chosen by cross-validation within the training rows.",
                    "このベクトルを固定したまま、\(model)により\(what)を予測した。正則化の強さは学習に用いた行の内部の交差検証で選んだ。"))
        case "setfit":
            let name = (classifier["classifiers"]?.array?.last?["name"]?.string ?? "").replacingOccurrences(of: "SetFit ", with: "")
            result.append(
                say(
                    "The sentence encoder \(name) was first fine-tuned on pairs of texts of the same and of different classes; a logistic regression on its vectors was then trained to predict \(what)\(cite(.setFit)).",
                    "文埋め込みモデル\(name)を、同じクラスの文対と異なるクラスの文対により調整した後、そのベクトルのロジスティック回帰により\(what)を予測した\(cite(.setFit))。"))
        case "fine-tuned":
            result += describe(tuning: classifier, what)
        default:
            let name = classifier["classifier"]?.string ?? ""
            result.append(say("The classifier \(name) predicted \(what).", "分類器\(name)により\(what)を予測した。"))
        }
        if classifier["class_weights"]?.string == "balanced" {
            result.append(say("Classes were weighted inversely to their frequency.", "各クラスは頻度の逆数で重み付けした。"))
        }
        switch classifier["design"]?.string {
        case "folds":
            let folds = Self.number(classifier["folds"]) ?? "", stratified = classifier["stratified"]?.bool == true
            result.append(
                say(
                    "Every row was predicted by a model that was not trained on it, in \(folds)-fold \(stratified ? "stratified " : "")cross-validation\(groups.map { " that split none of the \($0) groups" } ?? "").",
                    "各行は、それを学習していないモデルにより、\(stratified ? "層化" : "")\(folds)分割交差検証\(groups.map { "（\($0)個のグループは分割しない）" } ?? "")で予測した。"))
        case "test table":
            let trained = Self.number(classifier["training_rows"]) ?? ""
            result.append(say("It was trained on \(trained) other rows.", "学習には別の\(trained)行を用いた。"))
        default: break
        }
        let resamples = Self.number(classifier["resamples"]) ?? "", matthews = task == "classification" ? cite(.matthews) : ""
        let measures =
            isRegression
            ? say("Pearson's and Spearman's correlations", "PearsonとSpearmanの相関係数")
            : task == "multilabel"
                ? say("micro- and macro-averaged F1", "マイクロ平均F1とマクロ平均F1")
                : say("accuracy, Matthews correlation\(matthews) and F1", "正答率、Matthewsの相関係数\(matthews)、F1")
        let over = groups == nil ? say("rows", "行") : say("groups", "群")
        result.append(
            say(
                "\(measures) have 95 % percentile intervals from \(resamples) bootstrap resamples of \(over).",
                "\(measures)の95%信頼区間は\(over)を単位とするブートストラップ（\(resamples)回）の百分位点である。"))
        let baselines = classifier["classifiers"]?.array?.dropLast().compactMap { $0["name"]?.string } ?? []
        if !baselines.isEmpty {
            let test = isRegression ? "" : say(" and by McNemar's exact test\(cite(.mcNemar))", "とMcNemarの正確検定\(cite(.mcNemar))")
            let names = baselines.map { say(english($0), japanese($0)) }.joined(separator: say(", ", "、"))
            result.append(
                say(
                    "It was compared with \(names) on the same rows by a paired bootstrap\(test).",
                    "比較対象は\(names)であり、同じ行について対応のあるブートストラップ\(test)により比較した。"))
        }
        if classifier["calibrated"]?.bool == true {
            result.append(
                say(
                    "Probabilities were calibrated by a temperature fitted on held-out training rows\(cite(.calibration)).",
                    "確率は、学習データのうち取り分けた行で求めた温度により較正した\(cite(.calibration))。"))
        }
        return result
    }

    private mutating func describe(tuning: JSON, _ what: String) -> [String] {
        let name = (tuning["classifiers"]?.array?.last?["name"]?.string ?? "").replacingOccurrences(of: "fine-tuned ", with: ""),
            recipe = recipe(tuning)
        let head =
            switch tuning["head"]?.string {
            case "mlp": say("a new classification head, a dense layer and an output layer,", "新しい分類ヘッド（全結合層と出力層）")
            case "linear": say("a new linear output layer on its pooled last layer", "最終層をプーリングしたベクトルに対する新しい線形の出力層")
            default: say("a new output layer", "新しい出力層")
            }
        return [
            say(
                "The pretrained encoder \(name)\(cite(.bert)) was fine-tuned with \(head) to predict \(what): \(recipe).",
                "事前学習済みエンコーダー\(name)\(cite(.bert))に\(head)を加え、\(what)を予測するようファインチューニングした（\(recipe)）。")
        ] + details(tuning: tuning)
    }

    /// How several tasks were learned by one encoder, and what each was scored on.
    mutating func describe(multiTask record: JSON) -> [String] {
        let tasks = record["tasks"]?.array ?? [], name = record["model"]?["name"]?.string ?? "",
            hash = (record["model"]?["sha256"]?.string ?? "").prefix(12), recipe = recipe(record)
        let list = tasks.map { task -> String in
            let name = task["name"]?.string ?? "", rows = Self.number(task["training_rows"]) ?? "", isPairs = task["pairs"]?.bool == true
            let labels =
                task["task"]?.string == "regression"
                ? say("numbers", "数値")
                : say("labels ", "ラベル") + (task["labels"]?.array ?? []).compactMap(\.string).joined(separator: say(", ", "、"))
            let head = task["head"]?.string == "linear" ? say("linear head", "線形ヘッド") : say("dense layer and output layer", "全結合層と出力層")
            let weight = task["weight"]?.double.flatMap { $0 == 1 ? nil : say("; loss × \($0)", "、損失の重み\($0)") } ?? ""
            return say(
                "\(name) (\(labels); \(rows) training \(isPairs ? "pairs" : "texts"); \(head)\(weight))",
                "\(name)（\(labels)、学習\(rows)\(isPairs ? "文対" : "文")、\(head)\(weight)）")
        }.joined(separator: say(", ", "、"))
        let count = tasks.count
        var result = [
            say(
                "The pretrained encoder \(name)\(cite(.bert)) (SHA-256 \(hash)…) was fine-tuned on \(count) tasks at once, each with a head of its own on the shared encoder\(cite(.multiTask)): \(list).",
                "事前学習済みエンコーダー\(name)\(cite(.bert))（SHA-256: \(hash)…）を、\(count)個の課題で同時にファインチューニングした。エンコーダーは共有し、課題ごとにヘッドを置いた\(cite(.multiTask))。課題は\(list)である。"
            ),
            say(
                "Every step took a batch of one task; in each epoch the batches of all tasks came in random order, so that tasks were drawn in proportion to their rows (\(recipe)).",
                "各ステップでは一つの課題のバッチを用い、各エポックですべての課題のバッチを無作為な順に一度ずつ用いた。したがって各課題は行数に比例して選ばれる（\(recipe)）。"),
        ]
        result += details(tuning: record)
        if record["class_weights"]?.string == "balanced" {
            result.append(say("Classes were weighted inversely to their frequency.", "各クラスは頻度の逆数で重み付けした。"))
        }
        let kinds = Set(tasks.compactMap { $0["development"]?.string })
        let place =
            kinds == ["tenth"]
            ? say("a tenth of its table", "表の1割")
            : kinds == ["table"]
                ? say("a table of its own", "別の表")
                : say("a tenth of its table or a table of its own", "表の1割または別の表")
        let resamples = Self.number(record["resamples"]) ?? ""
        result.append(
            say(
                "Each task was scored on \(place), from which nothing was learned or chosen; intervals are 95 % percentile intervals from \(resamples) bootstrap resamples of rows, "
                    + "or of groups where a task has them.",
                "各課題は、学習にも選択にも用いていない\(place)で評価した。95%信頼区間は、行（グループがある課題ではグループ）を単位とするブートストラップ（\(resamples)回）の百分位点である。"))
        if record["calibrated"]?.bool == true {
            result.append(
                say(
                    "Probabilities were calibrated by a temperature fitted on held-out training rows\(cite(.calibration)).",
                    "確率は、学習データのうち取り分けた行で求めた温度により較正した\(cite(.calibration))。"))
        }
        return result
    }

    /// Optimizer and schedule.
    private func recipe(_ tuning: JSON) -> String {
        func plain(_ key: String) -> String { tuning[key]?.double.map { $0 == $0.rounded() ? String(Int($0)) : "\($0)" } ?? "" }
        let epochs = plain("epochs"), batch = plain("batch_size"), rate = plain("learning_rate"),
            warmup = NumberText.fixed(100 * (tuning["warmup"]?.double ?? 0), 0)
        return say(
            "AdamW, \(epochs) epochs, batches of \(batch), peak learning rate \(rate) with linear warm-up (\(warmup) % of the steps) and decay, weight decay \(plain("weight_decay"))",
            "AdamW、\(epochs)エポック、バッチサイズ\(batch)、最大学習率\(rate)、学習率は全ステップの\(warmup)%で線形に上げ、その後線形に下げた。重み減衰\(plain("weight_decay"))")
    }

    private mutating func details(tuning: JSON) -> [String] {
        var result: [String] = []
        switch tuning["freeze"]?.string ?? "none" {
        case "none": break
        case "embeddings": result.append(say("The embeddings were frozen.", "埋め込み層は固定した。"))
        case let layers: result.append(say("The embeddings and the lowest \(layers) layers were frozen.", "埋め込み層と下位\(layers)層は固定した。"))
        }
        if let decay = tuning["layer_decay"]?.double, decay != 1 {
            result.append(
                say(
                    "Each layer's learning rate was \(decay) times that of the layer above\(cite(.layerRates)).",
                    "各層の学習率は一つ上の層の\(decay)倍とした\(cite(.layerRates))。"))
        }
        if let penalty = tuning["penalty"]?.string {
            result.append(
                say(
                    "Weights were penalized for their distance from the pretrained ones (\(penalty))\(cite(.pullToPretrained)).",
                    "重みには事前学習時の値へ引き戻す罰則を課した（\(penalty)）\(cite(.pullToPretrained))。"))
        }
        if tuning["early_stopping"]?.bool == true {
            result.append(say("The epoch was chosen on a tenth of the training rows.", "エポックは学習データの1割を取り分けて選んだ。"))
        }
        if let seeds = tuning["seeds"]?.int, seeds > 1 {
            result.append(say("Figures are means over \(seeds) random seeds.", "数値は\(seeds)個のシードについての平均である。"))
        }
        return result
    }

    private func english(_ name: String) -> String {
        switch name {
        case "majority": "the most frequent class"
        case "character TF–IDF": "a linear model on character n-grams weighted by TF–IDF"
        default: name.hasPrefix("frozen ") ? "a linear model on frozen vectors of \(name.dropFirst(7))" : name
        }
    }

    private func japanese(_ name: String) -> String {
        switch name {
        case "majority": "最頻クラス"
        case "character TF–IDF": "文字n-gramのTF–IDFに対する線形モデル"
        default: name.hasPrefix("frozen ") ? "\(name.dropFirst(7))の固定ベクトルに対する線形モデル" : name
        }
    }

    mutating func describe(classification: JSON) -> [String] {
        let rows = Self.number(classification["rows"]) ?? "", model = classification["model"]?["name"]?.string ?? "",
            hash = String((classification["model"]?["sha256"]?.string ?? "").prefix(12))
        let labels = classification["labels"]?.array?.compactMap(\.string) ?? []
        var result = [
            say(
                "The \(rows) texts were labelled (\(labels.joined(separator: ", "))) by the classifier \(model) (SHA-256 \(hash)…).",
                "\(rows)文に、分類器\(model)（SHA-256: \(hash)…）によりラベル（\(labels.joined(separator: "、"))）を付した。")
        ]
        if classification["temperature"]?.double != nil {
            result.append(
                say("Its probabilities were calibrated by a temperature\(cite(.calibration)).", "確率は温度により較正した\(cite(.calibration))。"))
        }
        return result
    }

    mutating func describe(autoencoder: JSON) -> [String] {
        let code = Self.number(autoencoder["code"]) ?? "", hidden = Self.number(autoencoder["hidden"]),
            rows = Self.number(autoencoder["rows_learned"]) ?? ""
        let shape =
            hidden.map { say("a hidden layer of \($0) tanh units on either side", "両側に\($0)個のtanhユニットの隠れ層") }
            ?? say("no hidden layer", "隠れ層なし")
        let tied = autoencoder["tied"]?.bool == true ? say(", tied weights", "、重みは共有") : ""
        let solver = autoencoder["solver"]?.string == "adam" ? "Adam" : "L-BFGS"
        var result = [
            say(
                "Vectors were compressed to \(code) dimensions by an autoencoder\(cite(.autoencoder)) with \(shape)\(tied), trained on \(rows) rows by \(solver).",
                "ベクトルをオートエンコーダー\(cite(.autoencoder))（\(shape)\(tied)）により\(code)個の数に符号化した。学習には\(rows)行と\(solver)を用いた。")
        ]
        if let active = Self.number(autoencoder["active"]) {
            result.append(
                say(
                    "The \(active) largest units of each code were kept\(cite(.topUnits)).",
                    "各符号のうち大きい方から\(active)個のユニットのみを残した\(cite(.topUnits))。"))
        }
        if let noise = autoencoder["corruption"]?.double, noise > 0 {
            result.append(
                say("Inputs were corrupted with probability \(noise)\(cite(.denoising)).", "入力の各成分は確率\(noise)で隠した\(cite(.denoising))。"))
        }
        let held = autoencoder["error_held_out"]?["share"]?.double, principal = autoencoder["error_pca_held_out"]?["share"]?.double
        if let held, let principal {
            let n = Self.number(autoencoder["rows_held_out"]) ?? ""
            result.append(
                say(
                    "On \(n) held-out rows it lost \(NumberText.fixed(100 * held, 1)) % of the variance; as many principal components\(cite(.principalComponents)) lost \(NumberText.fixed(100 * principal, 1)) %.",
                    "取り分けた\(n)行で失われた分散は\(NumberText.fixed(100 * held, 1))%であり、同数の主成分\(cite(.principalComponents))では\(NumberText.fixed(100 * principal, 1))%であった。"
                ))
        }
        return result
    }
}
