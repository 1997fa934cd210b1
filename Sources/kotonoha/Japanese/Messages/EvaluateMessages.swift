// One pair of texts per line.
// swift-format-ignore-file

extension Japanese {
    /// Of `evaluate`, apart from `sts` and `retrieval`.
    static let evaluateMessages: KeyValuePairs<String, String> = [
        // evaluate groups
        "the file has no groups; embed with --group-column, or cluster first": "ファイルにグループがありません。--group-column を付けて埋め込むか、先にクラスターを求めてください",
        "{0} no group and is left out": "グループのない{0}を除きました",
        "{0} no group and are left out": "グループのない{0}を除きました",
        "column '{0}' has {1} different values; expected at most {2}": "列 '{0}' の値は {1} 種類あります。{2} 種類までです",
        "no group has two sentences": "文が二つあるグループがありません",

        // evaluate choice
        "--odd-one-out items have no --cue": "--odd-one-out の項目に --cue はありません",
        "--template must contain {} once, or twice for cue and option; '{0}' has it {1} times": "--template には {} を一度、または手がかりと選択肢のために二度入れてください('{0}' には {1} 個あります)",
        "{0} is for cues and options; this table has pairs of sentences": "{0} は手がかりと選択肢のためのもので、この表には文の対があります",
        "{0} is for pairs of sentences; this table has none (--good, --bad)": "{0} は文の対のためのもので、この表にはありません(--good、--bad)",
        "{0} has no vector in {1}; --missing exclude leaves out such items": "{0} のベクトルが {1} にありません。--missing exclude なら、その項目を除きます",
        "no vectors for {0}": "ベクトルのないもの: {0}",
        "the table has no answers, so accuracy is not computed; -o lists the choices": "表に正答がないので、正答率は求めません。-o に選択を書きます",
        "--good and --bad go together: the two sentences of a pair": "--good と --bad(対の二つの文)は一緒に指定してください",
        "pairs of sentences ({0}, {1}) need a language model; name one with --model": "文の対({0}, {1})には言語モデルが必要です。--model で指定してください",
        "{0} counted as errors": "{0}を誤りとしました",
        "none of its columns names a category of the pairs ({0} …); its columns are {1}": "対のカテゴリー({0} …)を示す列がありません。列は {1} です",

        // evaluate reading
        "--word and --length exclude each other: both give the length of words": "--word と --length は同時に指定できません。どちらも語の長さを与えます",
        "{0} without a time, a surprisal or {1} before it left out": "読み時間、サプライザル、または直前の{1}のない{0}を除きました",
        "all words count as one text (--group), so held-out words are next to words that were fitted": "すべての語を一つのテキストとします(--group)。取り分けた語は、当てはめに使った語の隣にあります",

        // evaluate classifier, classify
        "the two classifiers have different labels: {0} and {1}": "二つの分類器のラベルが違います: {0} と {1}",
        "this classifier reads frozen sentence vectors, which no single word determines; --explain needs one that was fine-tuned as a whole": "この分類器は固定した文ベクトルを読むので、一つの語では決まりません。--explain には、全体をファインチューニングした分類器が必要です",
    ]
}
