// One pair of texts per line.
// swift-format-ignore-file

extension Japanese {
    /// Of training and `model convert`.
    static let trainMessages: KeyValuePairs<String, String> = [
        // Every training.
        "{0}: {1}, {2} truncated": "{0}: {1}、{2}を切り詰めました",
        "{0}: {1}, {2} with an empty sentence left out": "{0}: {1}、文が空の{2}を除きました",
        "{0}: {1}, {2} truncated, {3} with an empty sentence left out": "{0}: {1}、{2}を切り詰め、文が空の{3}を除きました",
        "{0}: {1} of the teacher": "{0}: 教師の{1}",
        "step {0}, {1}, gradient {2}, rate {3}": "ステップ {0}、{1}、勾配 {2}、学習率 {3}",
        "step {0}: {1}, mean {2}": "ステップ {0}: {1}、平均 {2}",
        "step {0}: {1}, mean {2} (best)": "ステップ {0}: {1}、平均 {2}(最良)",
        "step {0} saved in {1}": "ステップ {0} を {1} に保存しました",
        "stopped after step {0}: nothing better since step {1}": "ステップ {0} で止めました。ステップ {1} より良いものがありません",
        "{0}: {1} steps": "{0}: {1} ステップ",
        "{0}: {1} steps, best mean {2} in step {3}": "{0}: {1} ステップ、平均の最良値 {2}(ステップ {3})",
        "{0}: {1} steps, best perplexity {2} in step {3}": "{0}: {1} ステップ、パープレキシティの最良値 {2}(ステップ {3})",
        "{0} tokens, {1} parameters, vocabulary {2}": "{0} トークン、パラメーター {1} 個、語彙 {2}",

        // train seq2seq
        "{0} pairs, {1} parameters, vocabulary {2}": "{0} 対、パラメーター {1} 個、語彙 {2}",
        "--from has its own configuration and tokenizer; leave out --config and --tokenizer": "--from には設定とトークナイザーがあります。--config と --tokenizer を外してください",
        "{0} is for a new network; --config brings its own shape": "{0} は新しいネットワークのためのもので、--config には構造が書かれています",
        "{0} is for a new network; --from brings its own shape": "{0} は新しいネットワークのためのもので、--from には構造が決まっています",
        "stopped after {0} epochs; the model so far is in {1}": "{0} エポックのあとで中断しました。そこまでのモデルは {1} にあります",
        "epoch {0}: loss {1}, teacher-forced tokens {2} %; free-running: exact {3} of {4} ({5} %), character error rate {6} %, tokens {7} %": "エポック {0}: 損失 {1}、教師強制のトークン {2} %。自由走行: 完全一致 {4} 件中 {3} 件({5} %)、文字誤り率 {6} %、トークン {7} %",
        "… and {0} more; see --show, --html and --items": "… ほかに {0} 件。--show、--html、--items で見られます",
        "--network '{0}' is unknown; expected transformer, lstm or gru": "--network '{0}' はありません。使えるのは transformer、lstm、gru です",
        "--attention, --bidirectional and --input-feeding are for recurrent networks; add --network lstm or gru": "--attention、--bidirectional、--input-feeding は再帰型ネットワークのためのものです。--network lstm か gru を加えてください",
        "--norm, --positions and --feed-forward are for --network transformer": "--norm、--positions、--feed-forward は --network transformer のためのものです",
        "--schedule is constant, linear or cosine": "--schedule は constant、linear、cosine のどれかです",
        "--training-precision is f32 or bf16": "--training-precision は f32 か bf16 です",
        "--optimizer '{0}' is unknown; expected one of {1}": "--optimizer '{0}' はありません。使えるのは {1} です",
        "--penalty '{0}' should look like attention=0.01 or recurrence=0.1@pretrained; groups are {1}": "--penalty '{0}' は attention=0.01 や recurrence=0.1@pretrained のように書きます。グループは {1} です",

        // train vocabulary
        "a tokenizer is written as {0}, not '{1}'": "トークナイザーは {0} のファイルに書きます('{1}' ではなく)",
        "{0}: {1} out of {2}": "{0}: {2}から{1}",
        "{0}: {1} out of {2}; the text does not support {3}": "{0}: {2}から{1}。このテキストから {3} は得られません",

        // train words
        "word vectors are written as .h5, .vec or .bin, not '{0}'": "単語ベクトルは .h5、.vec、.bin のファイルに書きます('{0}' ではなく)",
        "word vectors are written as .h5, .vec, .bin or .npy, not '{0}'": "単語ベクトルは .h5、.vec、.bin、.npy のファイルに書きます('{0}' ではなく)",
        "{0} should be at least {1}, not {2}": "{0} は {1} 以上にしてください({2} ではなく)",
        "--checkpoint should be at least {0} seconds, not {1}": "--checkpoint は {0} 秒以上にしてください({1} ではなく)",
        "--mecab and --tokenizer exclude each other": "--mecab と --tokenizer は同時に指定できません",
        "standard input cannot be read again, so a run from it cannot be resumed": "標準入力は読み直せないので、再開できません",
        "{0} words in {1} lines; {2} distinct words occur at least {3} times and cover {4} % of the text": "{1} 行に {0} 語。{3} 回以上現れる単語は {2} 種類で、テキストの {4} % を占めます",
        "only .bin keeps the n-grams, which give vectors to out-of-vocabulary words": "未知語にベクトルを与える n-gram は、.bin だけに残ります",
        "{0}: {1} words × {2}, {3} words/s": "{0}: {1} 語 × {2} 次元、毎秒 {3} 語",
        "stopped in epoch {0} of {1}; what is done is kept in {2}, and the same command with --resume continues from there": "エポック {0}/{1} で中断しました。そこまでの結果は {2} にあり、同じコマンドに --resume を付けると再開します",

        // model convert
        "left out, not weights: {0}": "重みでないので除いたもの: {0}",
        "{0}: {1} tensors, {2} parameters in {3}": "{0}: テンソル {1} 個、パラメーター {2} 個({3})",
    ]
}
