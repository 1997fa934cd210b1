// One pair of texts per line.
// swift-format-ignore-file

extension Japanese {
    /// Of probes, attention and attributions.
    static let inspectionMessages: KeyValuePairs<String, String> = [
        // attention, explain
        "--head needs --layer: every layer has its own heads": "--head には --layer が必要です。ヘッドは層ごとにあります",
        "{0} is for heads; --rollout follows all of them": "{0} はヘッドのためのもので、--rollout はすべてのヘッドをたどります",
        "no layer {0}; {1} has {2} layers": "層 {0} はありません。{1} は {2} 層です",
        "no head {0}; each layer of {1} has {2} heads": "ヘッド {0} はありません。{1} の各層のヘッドは {2} 個です",
        "--steps needs a reference, which --method gradient-input does not use": "--steps には基準が必要ですが、--method gradient-input は基準を使いません",
        "{0} is for classifiers; this model makes vectors": "{0} は分類器のためのもので、このモデルはベクトルを作ります",
        "a sentence-embedding model needs two sentences; the second is missing": "文の埋め込みモデルには二つの文が必要ですが、二つめがありません",
        "cosine {0}; with padding for the first text {1}, the second {2}, both {3}": "コサイン類似度 {0}。一つめのテキストをパディングにすると {1}、二つめなら {2}、両方なら {3}",
        "no label '{0}'; the labels of {1} are {2}": "ラベル '{0}' はありません。{1} のラベルは {2} です",
        "score of {0} {1}; with padding instead of words {2}": "{0} のスコア {1}。語をパディングにすると {2}",
        "the attributions sum to {0}; with this method they need not equal the score": "寄与の合計は {0}。この方法では、スコアと等しくなるとは限りません",
        "check: the attributions sum to {0}, the cosine against these references is {1} (off by {2})": "確認: 寄与の合計は {0}、基準に対するコサイン類似度は {1}(差 {2})",
        "check: the attributions sum to {0}, the difference is {1} (off by {2})": "確認: 寄与の合計は {0}、スコアの差は {1}(差 {2})",
        "the sum is off by more than 1 %; --steps {0} is more accurate": "合計が 1 % より大きくずれています。--steps {0} ならより正確です",

        // probe
        "{0} takes two files: the word vectors and their treebank": "{0} には二つのファイル(単語ベクトルとそのツリーバンク)を指定してください",
        "{0}: {1} sentences, {2} words; left out as punctuation: {3} ({4})": "{0}: {1} 文、{2} 語。句読点として除いたもの: {3}({4})",
        "{0}: best of {1} epochs is {2}, dev loss {3}": "{0}: {1} エポックのうち最良は {2}、開発データの損失 {3}",
        "{0}: layer {1} of {2}": "{0}: {2} の第 {1} 層",
        "give a sentence, or --treebank and --id": "文、または --treebank と --id を指定してください",
        "it has no distance probe; a tree needs one": "距離のプローブがありません。木にはそれが必要です",
        "it reads layer {0}, but {1} has layers 0 to {2}": "第 {0} 層を読むプローブですが、{1} の層は 0 から {2} までです",
        "left out as punctuation: {0}": "句読点として除いたもの: {0}",
        "without a depth probe the most central word is the root; only the edges are predicted": "深さのプローブがないので、最も中心にある語を根とします。予測したのは辺だけです",
        "no sentence {0} among the {1}": "{1} 文の中に文 {0} がありません",
        "the sentence has no words": "文に語がありません",
        "split into words by MeCab: {0} (insert spaces to split it differently)": "MeCab による単語分割: {0}(空白を入れれば、別の分け方ができます)",
        "--untrained expects one vector file per treebank: train, dev": "--untrained にはツリーバンクごとに一つのベクトルファイルを指定してください: train、dev",
        "--untrained expects one vector file per treebank: train, dev, test": "--untrained にはツリーバンクごとに一つのベクトルファイルを指定してください: train、dev、test",
        "the rank {0} is not between 1 and {1}, the dimension of the vectors": "ランク {0} が、1 からベクトルの次元数 {1} までの間にありません",
        "{0} expects numbers separated by commas, not '{1}'": "{0} には、カンマで区切った番号を指定してください('{1}' ではなく)",
    ]
}
