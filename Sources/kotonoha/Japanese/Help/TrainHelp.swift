// One pair of texts per line.
// swift-format-ignore-file

extension Japanese {
    /// Of training, and `model convert`.
    static let trainHelp: KeyValuePairs<String, String> = [
        // train vocabulary
        "Tables or texts with one sentence per row.": "1行に1文の表またはテキスト。",
        "The tokenizer.json to write.": "書き出す tokenizer.json。",
        "unigram, bpe, byte-bpe, wordpiece or characters.": "種類: unigram、bpe、byte-bpe、wordpiece、characters(文字)。",
        "Number of tokens, including special tokens.": "トークンの数(特殊トークンを含む)。",
        "Column of the text, by name or number; by default the first.": "テキストの列(名前または番号)。既定は最初の列。",
        "Lower-case all text.": "すべてのテキストを小文字にします。",
        "Maximum piece length in characters.": "サブワードの最大の長さ(文字数)。",
        "Proportion of characters covered by tokens of their own; the rest is unknown.": "固有のトークンを持つ文字の割合。残りは未知となります。",
        "Words: spaces, japanese (spaces, except before Japanese script) or bert. By default bert for wordpiece, otherwise spaces.": "単語の分け方: spaces(空白)、japanese(空白。日本語の文字の前を除く)、bert。既定は、wordpiece なら bert、ほかは spaces。",
        "A MeCab dictionary: no piece crosses a word boundary. Tokenizing later does not need it.": "MeCab の辞書: サブワードが単語の境界をまたがないようにします。学習後のトークン化には必要ありません。",
        """
        kotonoha train vocabulary text.txt -o tokenizer.json --size 16000 --lowercase

        Hugging Face tokenizers reads the result and gives the same ids.
        """: """
        kotonoha train vocabulary text.txt -o tokenizer.json --size 16000 --lowercase

        結果は Hugging Face の tokenizers でも読め、同じ ID になります。
        """,

        // train words
        "Texts; - is standard input.": "テキスト。- は標準入力です。",
        "The file to write: .h5, .vec or .bin.": "書き出すファイル: .h5、.vec、.bin。",
        "skip-gram or cbow.": "skip-gram または cbow。",
        "ns (negative sampling) or hs (hierarchical softmax).": "ns(負例サンプリング)または hs(階層的ソフトマックス)。",
        "Dimension of the vectors.": "ベクトルの次元数。",
        "Maximum window size in words on either side; drawn for each word between 1 and this.": "窓の大きさの最大値(片側の単語数)。単語ごとに 1 からこの値までの間で選びます。",
        "Negative samples per positive example.": "正例ごとの負例の数。",
        "Exponent of the counts in negative sampling.": "負例サンプリングで頻度に付ける指数。",
        "Minimum count of a word; rarer words are left out.": "単語の最小の頻度。これより少ない単語は除きます。",
        "Keep only this many words, the most frequent ones.": "頻度の高い順に、この数の単語だけを残します。",
        "Threshold for subsampling frequent words; 0 keeps all.": "高頻度語を間引くしきい値。0 ならすべて残します。",
        "Shortest character n-gram.": "文字 n-gram の最小の長さ。",
        "Longest character n-gram; 0 for none.": "文字 n-gram の最大の長さ。0 なら使いません。",
        "Number of hash buckets for n-grams.": "n-gram のハッシュのバケット数。",
        "Initial learning rate; by default 0.025, with cbow or n-grams 0.05.": "学習率の初期値。既定は 0.025、cbow または n-gram では 0.05。",
        "Seed.": "シード。",
        "Number of threads; results do not depend on it, except with --hogwild.": "スレッド数。--hogwild でなければ、結果には影響しません。",
        "Let threads update the same vectors without synchronization: faster, but not reproducible.": "同期せずに複数のスレッドが同じベクトルを更新します。速くなりますが、再現できません。",
        "Split Japanese text with MeCab, into surface or base forms.": "日本語を MeCab で表層形(surface)または基本形(base)に分けます。",
        "A MeCab dictionary.": "MeCab の辞書。",
        "Split text with a model's tokenizer: a folder with tokenizer.json.": "モデルのトークナイザー(tokenizer.json のあるフォルダー)で分けます。",
        "Read tables, using this column (name or number); by default every line is text.": "表のこの列(名前または番号)を読みます。既定では、すべての行がテキストです。",
        "Seconds between checkpoints; they take at most a twentieth of the time.": "チェックポイントの間隔(秒)。保存にかかる時間は全体の20分の1までです。",
        """
        kotonoha train words wiki.txt -o words.h5
        kotonoha train words 青空.txt --mecab base -o words.h5
        kotonoha train words wiki.txt --minimum-n 3 --maximum-n 6 -o words.bin

        TEXT has one sentence or paragraph per line and may be gzipped; words are
        separated by spaces, or split by --mecab or --tokenizer. The output's name
        determines the format: .h5 for the other commands, .vec for word2vec text, .bin
        for a fastText model (word2vec binary with --binary word2vec). Only .bin keeps
        the n-grams, which give vectors to out-of-vocabulary words. The vectors depend
        on the seed, not on the number of threads. --hogwild allows races between
        threads, as other programs do.
        """: """
        kotonoha train words wiki.txt -o words.h5
        kotonoha train words 青空.txt --mecab base -o words.h5
        kotonoha train words wiki.txt --minimum-n 3 --maximum-n 6 -o words.bin

        テキストは1行に1文または1段落で、gzip でもかまいません。単語は空白で、または
        --mecab か --tokenizer で分けます。形式は出力の名前で決まります: .h5(ほかの
        コマンド用)、.vec(word2vec のテキスト形式)、.bin(fastText のモデル。--binary
        word2vec なら word2vec のバイナリ形式)。n-gram は .bin だけに残り、未知語にも
        ベクトルを与えます。ベクトルはシードで決まり、スレッド数には影響されません。
        --hogwild は、ほかのプログラムと同じくスレッドの競合を許します。
        """,

        // train encoder
        "The configuration, JSON.": "設定ファイル(JSON)。",
        "The model's folder, written when training ends.": "モデルのフォルダー。学習が終わると書かれます。",
        "Steps, overriding the configuration.": "ステップ数(設定ファイルより優先)。",
        "Seed of all random choices, overriding the configuration.": "すべての乱数のシード(設定ファイルより優先)。",
        "Steps between progress lines.": "進行状況を示す間隔(ステップ数)。",
        "Peak learning rate, overriding the configuration.": "学習率の最大値(設定ファイルより優先)。",
        """
        kotonoha train encoder config.json -o my-model

        Checkpoints, the best weights and a log (log.jsonl) go to my-model.run, or to
        --run. After an interruption the same command resumes from the last checkpoint
        and ends with the same weights as an uninterrupted run. docs/training.md
        describes the configuration.
        """: """
        kotonoha train encoder config.json -o my-model

        チェックポイント、最良の重み、ログ(log.jsonl)は、my-model.run または --run に
        書きます。中断しても、同じコマンドが最後のチェックポイントから再開し、
        中断しなかった場合と同じ重みになります。設定ファイルの説明は docs/training.md
        にあります。
        """,

        // train lm
        """
        kotonoha train lm config.json -o my-model

        Trains a Llama-style decoder on documents packed into blocks without padding.
        Checkpoints, the best weights on the held-out documents and a log (log.jsonl)
        go to my-model.run, or to --run. After an interruption the same command resumes
        from the last checkpoint and ends with the same weights as an uninterrupted
        run. docs/training.md describes the configuration.
        """: """
        kotonoha train lm config.json -o my-model

        Llama 型のデコーダーを、パディングなしでブロックに詰めた文書で学習します。
        チェックポイント、取り分けた文書で最良の重み、ログ(log.jsonl)は、my-model.run
        または --run に書きます。中断しても、同じコマンドが最後のチェックポイントから
        再開し、中断しなかった場合と同じ重みになります。設定ファイルの説明は
        docs/training.md にあります。
        """,

        // train seq2seq
        "TSV, CSV, spreadsheet or JSON lines with the pairs; - is standard input.": "対の TSV、CSV、表計算ファイル、JSON Lines。- は標準入力です。",
        "transformer, lstm or gru.": "transformer、lstm、gru。",
        "Size of the hidden states.": "隠れ状態の大きさ。",
        "Layers of the encoder and of the decoder.": "エンコーダーとデコーダーの層の数。",
        "Heads of a Transformer's attention.": "Transformer のアテンションのヘッド数。",
        "Feed-forward size of a Transformer; by default twice the hidden size.": "Transformer のフィードフォワード層の大きさ。既定は隠れ状態の2倍。",
        "Layer norm placement of a Transformer: post or pre.": "Transformer の層正規化の位置: post または pre。",
        "A Transformer's positions: sinusoidal or learned.": "Transformer の位置符号: sinusoidal(正弦波)または learned(学習する)。",
        "Embedding size of a recurrent network; by default the hidden size.": "再帰型ネットワークの埋め込みの大きさ。既定は隠れ状態の大きさ。",
        "Attention of a recurrent network: none, additive (Bahdanau), dot, general or concat (Luong).": "再帰型ネットワークのアテンション: none(なし)、additive(Bahdanau)、dot、general、concat(Luong)。",
        "Make a recurrent encoder bidirectional.": "再帰型のエンコーダーを双方向にします。",
        "Feed the attentional output into the next step (Luong).": "アテンションを通した出力を次のステップに入力します(Luong)。",
        "Tie the output layer to the embedding table.": "出力層を埋め込みの表と共有します。",
        "Dropout.": "ドロップアウト。",
        "Maximum length of source and target in tokens.": "入力と出力の最大の長さ(トークン数)。",
        "Pairs per step.": "1ステップの対の数。",
        "sgd, momentum, nesterov, adagrad, adam, adamw or lamb.": "最適化の方法: sgd、momentum、nesterov、adagrad、adam、adamw、lamb。",
        "Learning rate.": "学習率。",
        "Warm-up steps of the learning rate.": "学習率のウォームアップのステップ数。",
        "Schedule after warm-up: constant, linear or cosine.": "ウォームアップのあとのスケジュール: constant(一定)、linear(線形)、cosine。",
        "Maximum gradient norm; 0 for no limit.": "勾配のノルムの最大値。0 なら制限しません。",
        "Label smoothing.": "ラベル平滑化。",
        "Scheduled sampling: the proportion of decoder inputs that are the network's own outputs.": "スケジュールドサンプリング: デコーダーの入力のうち、ネットワーク自身の出力を使う割合。",
        "Parameters to freeze: embeddings, encoder, decoder, attention, recurrence, output. May be repeated.": "固定するパラメーター: embeddings、encoder、decoder、attention、recurrence、output。複数回指定できます。",
        "Add λ‖θ‖² of a group to the loss: GROUP=λ pulls toward zero, GROUP=λ@pretrained toward the weights of --from. May be repeated.": "グループの λ‖θ‖² を損失に加えます。GROUP=λ は 0 に、GROUP=λ@pretrained は --from の重みに引き寄せます。複数回指定できます。",
        "Epochs between evaluations.": "評価の間隔(エポック数)。",
        "Stop when this proportion of outputs is exact.": "完全に一致する出力がこの割合になったら止めます。",
        "Seed of weights and order.": "重みと順序のシード。",
        "Folder of the model: config.json, model.safetensors, tokenizer.json.": "モデルのフォルダー(config.json、model.safetensors、tokenizer.json)。",
        "Column of the targets.": "正解の列。",
        "Pairs to evaluate on, with the same columns; by default the training pairs.": "評価に使う、同じ列のある対。既定は学習用の対。",
        "Remove spaces from both columns (Japanese text that is split into words).": "両方の列から空白を除きます(単語に分けた日本語のテキスト)。",
        "A model to continue from.": "学習を続けるもとのモデル。",
        "config.json of a new network; its vocabulary size is set by the tokenizer.": "新しいネットワークの config.json。語彙の大きさはトークナイザーで決まります。",
        "tokenizer.json of a new network.": "新しいネットワークの tokenizer.json。",
        "Unit of a new vocabulary: characters or words.": "新しい語彙の単位: characters(文字)または words(単語)。",
        "Number of wrong outputs to show at the end.": "最後に示す、誤った出力の数。",
        """
        INPUT has a source and a target in every row. Without --from a new network is
        created as set by the options or --config, with a vocabulary of the characters
        (--unit characters) or words (--unit words) that occur, or with the given
        --tokenizer. Accuracy is measured free-running: the network reads its own
        output back.
        """: """
        入力の各行に、入力文と正解があります。--from がなければ、オプションまたは
        --config に従って新しいネットワークを作ります。語彙は、現れる文字(--unit
        characters)か単語(--unit words)、または指定した --tokenizer のものです。正答率は
        自由走行で測ります。つまり、ネットワークは自身の出力を次の入力として読みます。
        """,

        // model convert
        "The folder or the .safetensors file to write.": "書き出すフォルダー、または .safetensors ファイル。",
        "How weights are stored: f32, bf16 or f16.": "重みの保存形式: f32、bf16、f16。",
        """
        kotonoha model convert old-model -o new-model                       # pytorch_model.bin becomes model.safetensors
        kotonoha model convert big-model -o half --weights bf16
        kotonoha model convert sharded-model -o one-file.safetensors

        An output name ending in .safetensors gets only the encoder's weights; any
        other name is a new folder with the whole model.
        """: """
        kotonoha model convert old-model -o new-model                       # pytorch_model.bin を model.safetensors に
        kotonoha model convert big-model -o half --weights bf16
        kotonoha model convert sharded-model -o one-file.safetensors

        .safetensors で終わる出力にはエンコーダーの重みだけを書きます。ほかの名前なら、
        モデル全体の新しいフォルダーを作ります。
        """,
    ]
}
