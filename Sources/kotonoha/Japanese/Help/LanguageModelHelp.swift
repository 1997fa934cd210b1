// One pair of texts per line.
// swift-format-ignore-file

extension Japanese {
    /// Of `generate` and `fill`.
    static let languageModelHelp: KeyValuePairs<String, String> = [
        // generate
        "Folder of a model that `train seq2seq` wrote, or a causal language model.": "`train seq2seq` が書いたモデルのフォルダー、または因果言語モデル。",
        "The sources: one per line, or a table with --source-column; - is standard input.": "入力文: 1行に一つ、または --source-column を指定した表。- は標準入力です。",
        "A page (HTML) with every output next to its target, differences marked.": "すべての出力を正解と並べ、違いに印を付けたページ(HTML)。",
        "A table (.csv, .tsv, .xlsx) with every output next to its target.": "すべての出力を正解と並べた表(.csv、.tsv、.xlsx)。",
        "Mark differing characters in colour on the terminal: auto, always or never.": "端末で、違う文字に色を付けるかどうか: auto、always(つねに)、never(付けない)。",
        "Column of the sources, by name or number from 1.": "入力文の列(名前、または 1 からの番号)。",
        "Column of outputs to score instead of generating, by name or number.": "生成せずに評価する出力の列(名前または番号)。",
        "Column of the correct outputs, by name or number: reports exact matches and error rates.": "正解の列(名前または番号)。完全一致率と誤り率を報告します。",
        "Unit of error rates: characters or words.": "誤り率の単位: characters(文字)または words(単語)。",
        "Column with a prefix that each output must start with.": "各出力の先頭に置くべき文字列の列。",
        "Beam size; greedy decoding by default.": "ビームの幅。既定は貪欲法です。",
        "α of the beam's length penalty ((5 + length) / 6)^α.": "ビームの長さの罰則 ((5 + 長さ) / 6)^α の α。",
        "Sample tokens by their probability.": "確率に従ってトークンをサンプリングします。",
        "Sampling temperature.": "サンプリングの温度。",
        "Sample only from the k most probable tokens.": "確率の高い k 個のトークンだけからサンプリングします。",
        "Sample from the smallest set of tokens with at least this total probability.": "確率の合計がこの値以上になる最小のトークンの集合からサンプリングします。",
        "Number of outputs per source, best first.": "入力ごとの出力の数(良い順)。",
        "Maximum output length in tokens.": "出力の最大の長さ(トークン数)。",
        "Seed of sampling.": "サンプリングのシード。",
        "The attention of every layer and head for the first source: a picture (.svg, .pdf, .png) or a page (.html).": "最初の入力に対する全層・全ヘッドのアテンション: 図(.svg、.pdf、.png)またはページ(.html)。",
        "Characters outside the vocabulary become [UNK] instead of an error.": "語彙にない文字を、エラーにせず [UNK] にします。",
        "Precision of matrix products: f32 or bf16.": "行列積の精度: f32 または bf16。",
        "Sources processed together by one thread.": "1スレッドがまとめて処理する入力の数。",
        """
        Prints one output per source; with --outputs, --score or --json also the
        log-probability, separated by tabs. With --target every output is shown next to
        its target, with differing characters in red on a terminal, and the scores go
        to standard error.

        A causal language model (GPT-2, GPT-NeoX, Llama, Mistral, Qwen, Gemma; `train
        lm`) continues each source, by up to 64 tokens or --max-length.
        """: """
        入力ごとに一つの出力を示します。--outputs、--score、--json では対数確率も(タブ
        区切りで)示します。--target では、各出力を正解と並べ、違う文字を端末では赤で
        示し、評価は標準エラー出力に出ます。

        因果言語モデル(GPT-2、GPT-NeoX、Llama、Mistral、Qwen、Gemma、`train lm`)は、
        各入力の続きを 64 トークンまで、または --max-length まで生成します。
        """,

        // fill
        "A text with [MASK] in it, or a table of them; - is standard input.": "[MASK] を含むテキスト、またはその表。- は標準入力です。",
        "Number of guesses per mask, most probable first.": "マスクごとの候補の数(確率の高い順)。",
        """
        kotonoha fill MODEL "朝ご飯に[MASK]を食べた。" --top 5
        kotonoha fill MODEL items.xlsx --column 文 -o guesses.csv

        [MASK], <mask> and ＿＿ all stand for the model's mask token. Several masks in
        one text are filled independently. The table has one row per guess; other
        columns are kept.
        """: """
        kotonoha fill モデル "朝ご飯に[MASK]を食べた。" --top 5
        kotonoha fill モデル items.xlsx --column 文 -o guesses.csv

        [MASK]、<mask>、＿＿ は、どれもモデルのマスクトークンを表します。一つの
        テキストに複数のマスクがあれば、それぞれ独立に埋めます。表は候補ごとに1行で、
        ほかの列は引き継ぎます。
        """,
    ]
}
