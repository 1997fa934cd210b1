import FileFormats
import Foundation

// Methods of structural probes and the words' vectors that they read.

extension MethodsText {
    /// Vectors of a treebank's words. A file of another program does not say where they are from.
    mutating func describe(words vectors: JSON) -> [String] {
        let sentences = Self.number(vectors["sentences"]) ?? "", dimension = Self.number(vectors["dimension"]) ?? "",
            layers = Self.list(vectors["layers"])
        guard let model = vectors["model"]?.string else {
            return [
                say(
                    "The words of \(sentences) sentences had \(dimension)-dimensional vectors made with another program.",
                    "\(sentences)文の各語には、他のプログラムで作成した\(dimension)次元のベクトルを用いた。")
            ]
        }
        let hash = String((vectors["model_sha256"]?.string ?? "").prefix(12)), source = vectors["source"]?.string ?? "",
            precision = vectors["precision"]?.string ?? "f32"
        let isSpaced = vectors["text"]?.string == "spaced"
        let merging =
            switch vectors["pieces"]?.string {
            case "first": say("that of its first word piece", "最初のサブワードのベクトル")
            case "last": say("that of its last word piece", "最後のサブワードのベクトル")
            default: say("the mean of the vectors of its word pieces", "サブワードのベクトルの平均")
            }
        var result = [
            say(
                "Each word of the \(sentences) sentences of \(source) was represented by \(dimension)-dimensional vectors from layers \(layers) (0: the embeddings) of the encoder "
                    + "\(model) (SHA-256 of the model \(hash)…): a word's vector is \(merging), the encoder read \(isSpaced ? "the words separated by spaces" : "the sentences as written"), in \(precision) arithmetic.",
                "\(source)の\(sentences)文の各語に、エンコーダー\(model)（モデルのSHA-256は\(hash)…）の第\(layers)層（0は埋め込み層）から\(dimension)次元のベクトルを与えた。"
                    + "語のベクトルは\(merging)であり、エンコーダーには\(isSpaced ? "語を空白で区切った文" : "表記どおりの文")を入力し、演算精度は\(precision)とした。")
        ]
        if vectors["storage"]?.string == "float16" { result.append(say("Vectors were stored as float16.", "ベクトルはfloat16として保存した。")) }
        return result
    }

    mutating func describe(probe: JSON) -> [String] {
        let kinds = probe["kinds"]?.array?.compactMap(\.string) ?? []
        let ranks = Self.list(probe["ranks"]), seeds = Self.list(probe["seeds"]), layers = Self.list(probe["layers"])
        let train = probe["train"]?.string ?? "", dev = probe["dev"]?.string ?? "", count = Self.number(probe["train_sentences"]) ?? ""
        let rate = probe["learning_rate"]?.double.map { "\($0)" } ?? "", batch = Self.number(probe["batch"]) ?? "",
            punctuation = probe["punctuation"]?.string ?? "nothing"
        let isStandardized = probe["scaling"]?.string == "standardized"
        let aims = kinds.map {
            $0 == "distance"
                ? say("squared distances of word vectors are distances in the dependency tree", "語のベクトル間の距離の2乗が係り受け木における距離になる")
                : say("squared lengths of word vectors are depths in it", "語のベクトルの長さの2乗が木における深さになる")
        }
        var result = [
            say(
                "Structural probes\(cite(.structuralProbe)), linear maps of rank \(ranks) under which \(aims.joined(separator: " and ")), were trained on layers \(layers) and the \(count) sentences of \(train) "
                    + "with Adam (learning rate \(rate), \(batch) sentences per batch\(isStandardized ? ", components standardized" : "")), with early stopping by the loss on \(dev), seeds \(seeds). Excluded from the scored trees: \(punctuation).",
                "構造プローブ\(cite(.structuralProbe))、すなわち\(aims.joined(separator: "、および"))ような階数\(ranks)の線形写像を、第\(layers)層について\(train)の\(count)文で学習した（Adam、学習率\(rate)、"
                    + "バッチ\(batch)文\(isStandardized ? "、成分は標準化" : "")）。学習は\(dev)の損失で打ち切り、シードは\(seeds)とした。評価する木から除いたもの: \(punctuation)。")
        ]
        if probe["control_task"]?.bool == true {
            result.append(
                say("Selectivity was measured against the control task\(cite(.controlTask)).", "統制課題\(cite(.controlTask))との差を選択性とした。"))
        }
        return result
    }

    private static func list(_ numbers: JSON?) -> String {
        (numbers?.array ?? []).compactMap { $0.int.map(String.init) }.joined(separator: ", ")
    }
}
