// One pair of texts per line.
// swift-format-ignore-file

extension Japanese {
    /// Of `generate` and `fill`.
    static let languageModelMessages: KeyValuePairs<String, String> = [
        "--beam and --sample exclude each other": "--beam と --sample は同時に指定できません",
        "--top-k and --top-p need --sample": "--top-k と --top-p には --sample が必要です",
        "{0} belongs to --beam": "{0} は --beam とともに使います",
        "{0} belongs to --sample": "{0} は --sample とともに使います",
        "{0} is for generating; --score scores given outputs": "{0} は生成のためのもので、--score は与えた出力を評価します",
        "--score and --target exclude each other": "--score と --target は同時に指定できません",
        "--target compares one output of each source; --outputs has {0}": "--target は入力ごとに一つの出力を比べますが、--outputs は {0} です",
        "--html and --items need --target": "--html と --items には --target が必要です",
        "the file has no sources": "ファイルに入力文がありません",
        "{0} is for networks of `train seq2seq`; a causal language model continues texts": "{0} は `train seq2seq` のネットワークのためのものです。因果言語モデルはテキストの続きを書きます",
        "this network has no attention to draw": "このネットワークには、描くアテンションがありません",
        "free-running: exact {0} of {1} ({2} %), character error rate {3} %, tokens {4} %": "自由走行: 完全一致 {1} 件中 {0} 件({2} %)、文字誤り率 {3} %、トークン {4} %",
    ]
}
