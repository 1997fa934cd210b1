// One pair of texts per line.
// swift-format-ignore-file

extension Japanese {
    /// What the library says of training: configurations, tables of labels, runs.
    static let trainingMessages: KeyValuePairs<String, String> = [
        // Configurations; the path of the key may stand before.
        "an object { … } was expected": "オブジェクト { … } が必要です",
        "'{0}' is not known here; known are {1}": "'{0}' というキーはここでは使えません。使えるのは {1} です",
        "'{0}' is missing": "'{0}' がありません",
        "'{0}' is missing; it is one of {1}": "'{0}' がありません。{1} のどれかです",
        "'{0}' should be a text": "'{0}' は文字列です",
        "'{0}' should be a list of texts": "'{0}' は文字列のリストです",
        "'{0}' should be a list of objects": "'{0}' はオブジェクトのリストです",
        "'{0}' should be an object { … }": "'{0}' はオブジェクト { … } です",
        "'{0}' should be true or false": "'{0}' は true か false です",
        "'{0}' should be {1}, not {2}": "'{0}' は {1} です({2} ではなく)",
        "'{0}' is one of {1}, not '{2}'": "'{0}' は {1} のどれかです('{2}' ではなく)",
        "'files' is empty": "'files' が空です",
        "'files' is empty: there is nothing to learn": "'files' が空で、学習するものがありません",
        "'tasks' is empty: there is nothing to learn": "'tasks' が空で、学習するものがありません",
        "hidden_size {0} should divide by heads {1} into heads of an even size": "hidden_size {0} は heads {1} で割り切れ、商が偶数でなければなりません",
        "hidden_size {0} is not divisible by heads {1}": "hidden_size {0} が heads {1} で割り切れません",
        "heads {0} is not divisible by key_value_heads {1}": "heads {0} が key_value_heads {1} で割り切れません",
        "'schedule' is constant, linear, cosine or one-cycle; plateau belongs to sentence encoders": "'schedule' は constant、linear、cosine、one-cycle のどれかです。plateau は文のエンコーダーのためのものです",
        "'precision' is f32 or bf16; int8 is for inference": "'precision' は f32 か bf16 です。int8 は推論のためのものです",
        "'storage' is f32, f16 or bf16, not '{0}'": "'storage' は f32、f16、bf16 のどれかです('{0}' ではなく)",
        "'batch_size' should be at least 2: sentences are compared within a batch": "'batch_size' は 2 以上です。バッチの中で文を比べます",
        "objective {0} takes {1} columns, not {2}": "目的関数 {0} の列は {1} です({2} ではなく)",
        "objective {0} needs a column of scores, 'score'": "目的関数 {0} には評定値の列 'score' が必要です",
        "objective {0} needs a 'teacher' or 'teacher_vectors'": "目的関数 {0} には 'teacher' か 'teacher_vectors' が必要です",
        "'columns' names two columns of sentences, not {0}": "'columns' には文の列を二つ書きます({0} ではなく)",
        "max_length {0} exceeds the {1} positions of the model": "max_length {0} がモデルの位置 {1} を超えています",
        "pooling '{0}' is unknown; expected one of {1}": "プーリング '{0}' はありません。使えるのは {1} です",

        // --tasks.
        "'name' becomes the name of a folder, without / and not beginning with a dot; '{0}' cannot be one": "'name' はフォルダーの名前になるので、/ を含まず、ドットで始まらないものにしてください('{0}' は使えません)",
        "two tasks have this name; give each its own name": "同じ名前の課題が二つあります。別々の名前を付けてください",
        "'columns' names the column of the texts, or the two columns of pairs, not {0} columns": "'columns' にはテキストの列、または対の二つの列を書きます({0} 列ではなく)",
        "'{0}' names {1}, which does not exist; paths are relative to this file": "'{0}' の {1} がありません。パスはこのファイルからの相対パスです",
        "a linear head on pairs cannot be saved in a format that other programs load; take \"head\": \"mlp\"": "対に対する線形のヘッドは、ほかのプログラムが読める形式では保存できません。\"head\": \"mlp\" を使ってください",
        "a task cannot have the name {0}, which is that of the table of scores": "課題に {0} という名前は使えません。成績の表の名前です",

        // Labels.
        "no row has both a text (column {0}) and a label (column {1})": "テキスト(列 {0})とラベル(列 {1})の両方がある行がありません",
        "\"{0}\" in the column {1} is not a number, which --task regression needs": "列 {1} の \"{0}\" は数ではありません。--task regression には数が必要です",
        "all {0} labels in the column {1} are {2}; there is nothing to learn": "列 {1} の {0} 個のラベルがすべて {2} で、学習するものがありません",
        "label {0} of the column {1} is unknown to the classifier, whose labels are {2}": "列 {1} のラベル {0} を分類器は知りません。分類器のラベルは {2} です",
        "the column {0} has only one class, {1}; a classifier needs at least two": "列 {0} のクラスは {1} だけです。分類器には二つ以上必要です",
        "the column {0} has {1} different values in {2} rows, which looks like ids rather than classes; --label names another column, --task regression reads numbers": "列 {0} の値が {2} 行に {1} 種類あり、クラスではなく番号のようです。--label で別の列を指定するか、数なら --task regression を使ってください",
        "the group is missing in the column {0}; every row needs one": "列 {0} にグループがありません。すべての行に必要です",
        "the tables do not fit together: their labels, second texts or groups differ": "表が合いません。ラベル、二つめのテキスト、グループのどれかが違います",
        "fold {0} of {1} has no row of the class {2} to learn from: it has {3} rows in all. Take fewer folds, or leave the class out": "分割 {0}/{1} に、学習に使うクラス {2} の行がありません(全部で {3} 行)。分割を減らすか、このクラスを除いてください",
        "fold {0} of {1} has no row of the class {2} to learn from: it has {3} rows in all. --stratify spreads classes over the folds; or take fewer folds": "分割 {0}/{1} に、学習に使うクラス {2} の行がありません(全部で {3} 行)。--stratify でクラスを均等に分けるか、分割を減らしてください",
        "holding rows out for {0} leaves a class without rows to learn from; it has too few rows or groups": "{0}のために行を分けると、学習する行のないクラスができます。行かグループが少なすぎます",
        "--freeze {0} is more than the model's {1} layers": "--freeze {0} がモデルの {1} 層より多くなっています",
        "this model is a table of token vectors and has no layers to fine-tune; --freeze all fits a classifier on its vectors": "このモデルはトークンのベクトルの表で、ファインチューニングする層がありません。--freeze all ならベクトルで分類器を作れます",
        "{0} needs a model whose vectors are its pooled last layer; this one has further layers": "{0} には、最終層をプーリングしたものがベクトルになるモデルが必要です。このモデルにはさらに層があります",
        "--setfit is for classes of single texts": "--setfit は一つのテキストのクラスのためのものです",
        "--setfit needs texts of two classes to tell apart": "--setfit には、二つのクラスのテキストが必要です",

        // Sentences and documents.
        "the sentence in column {0} is empty; fill it in, remove the row, or set skip_empty": "列 {0} の文が空です。書き入れるか、行を削除するか、skip_empty を設定してください",
        "the score {0} is outside {1} … {2}; set score_range": "評定値 {0} が {1}〜{2} の外です。score_range を設定してください",
        "no rows to train on": "学習する行がありません",
        "no documents to train on": "学習する文書がありません",
        "task {0}: the next token can only be learnt by a model with \"attention\": \"causal\"; this one sees the token itself":
            "タスク {0}: 次のトークンを学習できるのは \"attention\": \"causal\" のモデルだけです。このモデルには予測するトークン自体が見えています",
        "task {0}: next_sentence is read from the first token, which sees nothing else in a causal model":
            "タスク {0}: next_sentence は先頭のトークンから予測しますが、因果的なモデルの先頭のトークンにはほかのトークンが見えません",
        "--head mlp reads the first token, which sees nothing else in this causal encoder; use --head linear":
            "--head mlp は先頭のトークンを使いますが、この因果的なエンコーダーの先頭のトークンにはほかのトークンが見えません。--head linear を使ってください",
        "masked language needs a [MASK] token; the tokenizer has none": "マスク言語モデルの学習には [MASK] のトークンが必要ですが、トークナイザーにありません",

        // Runs.
        "training diverged in step {0}: loss {1}, gradient norm {2}; lower --learning-rate": "学習がステップ {0} で発散しました(損失 {1}、勾配のノルム {2})。--learning-rate を下げてください",
        "training diverged in step {0}: loss {1}, gradient norm {2}; lower the learning rate or clip gradients": "学習がステップ {0} で発散しました(損失 {1}、勾配のノルム {2})。学習率を下げるか、勾配を切り詰めてください",
        "training diverged in step {0}: losses {1}, gradient norm {2}; lower the learning rate or clip gradients": "学習がステップ {0} で発散しました(損失 {1}、勾配のノルム {2})。学習率を下げるか、勾配を切り詰めてください",
        "training diverged: vectors contain NaN or infinity. Lower --learning-rate, or raise --minimum-count for a small text": "学習が発散し、ベクトルに NaN か無限大があります。--learning-rate を下げるか、小さなテキストなら --minimum-count を上げてください",
        "this checkpoint belongs to another configuration; use another folder for the run, or remove the checkpoint": "このチェックポイントは別の設定のものです。別のフォルダーを使うか、チェックポイントを削除してください",
        "this checkpoint belongs to other data, another model or other settings; use another folder with --run, or start over with --fresh": "このチェックポイントは別のデータ、モデル、設定のものです。--run で別のフォルダーを指定するか、--fresh で最初から始めてください",
        "not a training checkpoint of kotonoha": "kotonoha の学習のチェックポイントではありません",
        "the run's folder cannot be made: {0}": "途中の結果のフォルダーを作れません: {0}",
        "the model cannot be written: {0}": "モデルを書けません: {0}",
        "stopped after step {0}; the same command resumes from {1}": "ステップ {0} のあとで中断しました。同じコマンドで {1} から再開します",

        // train words.
        "no word occurs at least {0} times, but two are needed; the most frequent of {1} occurs {2} times. Lower --minimum-count, or check how the text is split into words": "{0} 回以上現れる単語がありませんが、二つ必要です。{1} 語のうち最も多いものは {2} 回です。--minimum-count を下げるか、テキストの単語への区切りを確かめてください",
        "only one word occurs at least {0} times, but two are needed; the most frequent of {1} occurs {2} times. Lower --minimum-count, or check how the text is split into words": "{0} 回以上現れる単語が一つだけですが、二つ必要です。{1} 語のうち最も多いものは {2} 回です。--minimum-count を下げるか、テキストの単語への区切りを確かめてください",
        "stopped while the text was read; nothing is kept": "テキストを読んでいる間に中断しました。何も残していません",
        "the interrupted run is damaged; delete this file and start over": "中断した計算の記録が壊れています。このファイルを削除して最初から始めてください",
        "the interrupted run had {0} {1}, this one has {2}; give the same text and options, or leave out --resume": "中断した計算では {0} が {1} でしたが、今回は {2} です。同じテキストとオプションを指定するか、--resume を外してください",
        "not enough memory for {0} rows of dimension {1}; lower --buckets or --dimension": "{1} 次元の {0} 行を置くメモリがありません。--buckets か --dimension を下げてください",
    ]
}
