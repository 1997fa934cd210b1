// One pair of texts per line.
// swift-format-ignore-file

extension Japanese {
    /// Of `evaluate`, apart from `sts` and `retrieval`.
    static let evaluateHelp: KeyValuePairs<String, String> = [
        // evaluate groups
        "A vector file with groups.": "グループのあるベクトルファイル。",
        "A column of the vector file, such as language.": "ベクトルファイルの列(language など)。",
        "Column of the groups, such as a category; by default the file's groups.": "グループの列(カテゴリーなど)。既定はファイルのグループ。",
        """
        kotonoha embed Datasets/captions.tsv -o vectors.h5 --column text --group-column scene
        kotonoha evaluate groups vectors.h5 --by language

        --by evaluates within and between the values of another column.
        """: """
        kotonoha embed Datasets/captions.tsv -o vectors.h5 --column text --group-column scene
        kotonoha evaluate groups vectors.h5 --by language

        --by は、別の列の値ごとと、値の間で評価します。
        """,

        // evaluate analogies
        "The questions.": "問題のファイル。",
        "A file of word vectors.": "単語ベクトルのファイル。",
        "add (3CosAdd) or mul (3CosMul).": "add(3CosAdd)または mul(3CosMul)。",
        "Search only the first N words of the file.": "ファイルの先頭からこの数の単語だけを探します。",
        "Distinguish upper and lower case; otherwise the first word in the file is used for both.": "大文字と小文字を区別します。指定しなければ、ファイルで先にある単語を両方に使います。",
        "A table of every question with its answer (.tsv, .csv or .xlsx).": "各問題とその答えの表(.tsv、.csv、.xlsx)。",
        """
        kotonoha evaluate analogies questions-words.txt --model words.h5

        QUESTIONS has lines of four words, and lines ": section". The answer is the
        word with the highest score except the three given ones: 3CosAdd, or 3CosMul
        with --method mul. Sections whose names begin with gram count as syntactic.
        Questions with a word that has no vector are skipped.
        """: """
        kotonoha evaluate analogies questions-words.txt --model words.h5

        問題のファイルは、1行に4語と、行 ": 節の名前" からなります。答えは、与えられた3
        語を除いて最も値の高い単語です(3CosAdd、--method mul なら 3CosMul)。名前が gram
        で始まる節は統語的な問題として数えます。ベクトルのない単語を含む問題は
        飛ばします。
        """,

        // evaluate choice
        "A table with one item per row.": "1行に1項目の表。",
        "Column of the acceptable sentences; recognized for BLiMP and JBLiMP.": "容認できる文の列。BLiMP と JBLiMP では自動で分かります。",
        "Column of the unacceptable sentences.": "容認できない文の列。",
        "Columns of categories; recognized for BLiMP and JBLiMP.": "カテゴリーの列。BLiMP と JBLiMP では自動で分かります。",
        "A table with a row per category (published or human accuracies) to show next to the results; may be given several times.": "結果と並べて示す、カテゴリーごとに1行の表(公刊された正答率や人の正答率)。複数回指定できます。",
        "A table of the accuracies.": "正答率の表。",
        "Bootstrap samples of the interval over all categories.": "全カテゴリーの区間を求めるブートストラップの標本の数。",
        "Column of the cues, by name or number.": "手がかりの列(名前または番号)。",
        "Columns of the options.": "選択肢の列。",
        "Column of the answers.": "正答の列。",
        "Column with people's choices, or the proportion who chose correctly.": "人の選択、または正答した人の割合の列。",
        "Items without a cue: the option least similar to the others is chosen.": "手がかりのない項目: ほかと最も似ていない選択肢を選びます。",
        "A sentence with {} in place of the text.": "テキストの位置に {} を置いた文。",
        "Another model to compare with.": "比べるもう一つのモデル。",
        "What to do with items whose texts have no vector: exclude or error.": "テキストにベクトルのない項目の扱い: exclude(除く)または error(エラー)。",
        "A table of every item with its cosines and choice.": "各項目のコサイン類似度と選択の表。",
        """
        kotonoha evaluate choice items.xlsx --model words.h5
        kotonoha evaluate choice items.xlsx --cue 刺激 --options 選択肢1,選択肢2 --answer 正答 --template "これは{}です。"

        Each row has a cue, options and optionally the answer (an option or its
        number). The option with the highest cosine to the cue is chosen; ties count as
        wrong. Accuracy has an exact binomial interval (Clopper–Pearson) and is tested
        against guessing. --against compares two models on the same items by McNemar's
        exact test. --template inserts every text at {}; with two {}, the sentence with
        cue and option is compared with the sentence that has the cue twice.

        kotonoha evaluate choice blimp.jsonl --model gpt2 --categories accuracies.csv

        With columns of acceptable and unacceptable sentences, a language model chooses
        the more probable one, by the sum of token log-probabilities and by their mean.
        Ties count as errors. Intervals are Wilson's; the overall one is a bootstrap
        over categories.
        """: """
        kotonoha evaluate choice items.xlsx --model words.h5
        kotonoha evaluate choice items.xlsx --cue 刺激 --options 選択肢1,選択肢2 --answer 正答 --template "これは{}です。"

        各行に、手がかり、選択肢と、あれば正答(選択肢またはその番号)があります。
        手がかりとのコサイン類似度が最も高い選択肢を選び、同点は誤りとします。正答率には
        正確な二項信頼区間(Clopper–Pearson)を付け、チャンスレベルとの差を検定します。
        --against は、二つのモデルを同じ項目で比べます(McNemar の正確検定)。--template
        は、すべてのテキストを {} に入れます。{} が二つあれば、手がかりと選択肢を入れた
        文を、手がかりを二度入れた文と比べます。

        kotonoha evaluate choice blimp.jsonl --model gpt2 --categories accuracies.csv

        容認できる文とできない文の列があれば、言語モデルが確率の高いほうを、トークンの
        対数確率の合計と平均のそれぞれで選びます。同点は誤りとします。区間は Wilson
        のもので、全体の区間はカテゴリーのブートストラップによります。
        """,

        // evaluate reading
        "A table with one word per row, as written by surprisal, with a column of times.": "読み時間の列のある、1行1語の表(surprisal が書くもの)。",
        "Column of the reading times.": "読み時間の列。",
        "Column of the surprisals.": "サプライザルの列。",
        "Column of the text, story or item of each word; by default row, story, text or item.": "各語のテキスト、物語、項目の列。既定は row、story、text、item のどれか。",
        "Column of the words, whose characters are counted; by default the column length or a column of words.": "文字数を数える単語の列。既定は列 length、または単語の列。",
        "Column of word lengths.": "語の長さの列。",
        "More numeric columns in the baseline, such as log frequency.": "ベースラインに加える数値の列(対数頻度など)。",
        "Number of preceding words whose surprisal is included.": "サプライザルを加える直前の語の数。",
        "Folds of the cross-validation; by default each group in turn if there are 2 to 20, otherwise 10.": "交差検証の分割数。既定は、グループが 2〜20 なら一つずつ、ほかは 10。",
        "Bootstrap samples of the held-out gain's interval.": "取り分けたデータでの改善の区間を求めるブートストラップの標本の数。",
        "Seed of folds and bootstrap.": "分割とブートストラップのシード。",
        "A table of the coefficients.": "係数の表。",
        """
        kotonoha surprisal MODEL stories.tsv --column text -o words.csv      # then join the reading times to it
        kotonoha evaluate reading words.csv --time rt --group row -o coefficients.csv

        Regresses time on word length (and --baseline) by least squares, then adds the
        surprisal of the word and of the --lag preceding words. Reports the gain in
        log-likelihood in the sample (with the likelihood-ratio test) and per held-out
        word in cross-validation over groups, correlations, and partial correlations
        given the baseline. Rows must be in reading order; preceding words never come
        from another group.
        """: """
        kotonoha surprisal モデル stories.tsv --column text -o words.csv      # そのあと、読み時間を結び付けます
        kotonoha evaluate reading words.csv --time rt --group row -o coefficients.csv

        読み時間を語の長さ(と --baseline)に最小二乗法で回帰し、その語と直前の --lag 語の
        サプライザルを加えます。標本での対数尤度の改善(尤度比検定)、グループによる
        交差検証で取り分けた語ごとの改善、相関、ベースラインを統制した偏相関を
        報告します。行は読む順に並んでいる必要があります。直前の語をほかのグループから
        取ることはありません。
        """,

        // evaluate classifier
        "The training table, for baselines and leakage.": "学習用の表。ベースラインと、テスト用の行との重複の確認に使います。",
        "Another classifier to compare with.": "比べるもう一つの分類器。",
        "A table of every row's prediction (.tsv, .csv, .xlsx, .jsonl).": "各行の予測の表(.tsv、.csv、.xlsx、.jsonl)。",
        """
        kotonoha evaluate classifier my-classifier test.xlsx --column 文 --label 評価 --train ratings.xlsx -o predictions.xlsx --figure confusion.pdf
        kotonoha evaluate classifier model-a test.tsv --column sentence --label label --against model-b

        --train gives the training table: baselines are then reported too, and texts or
        groups in both tables are counted. --against compares two classifiers on the
        same rows, by McNemar's exact test and a paired bootstrap.
        """: """
        kotonoha evaluate classifier my-classifier test.xlsx --column 文 --label 評価 --train ratings.xlsx -o predictions.xlsx --figure confusion.pdf
        kotonoha evaluate classifier model-a test.tsv --column sentence --label label --against model-b

        --train に学習用の表を指定すると、ベースラインも報告し、両方の表にあるテキストや
        グループを数えます。--against は、二つの分類器を同じ行で比べます(McNemar の
        正確検定と、対応のあるブートストラップ)。
        """,
    ]
}
