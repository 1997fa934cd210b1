// One pair of texts per line.
// swift-format-ignore-file

extension Japanese {
    /// Of `serve`, `explore` and `shard`.
    static let serviceHelp: KeyValuePairs<String, String> = [
        // serve
        "A model of sentence vectors or a reranker: a folder, or a name to look for; can be given several times.": "文ベクトルのモデルまたはリランカー(フォルダー、または探す名前)。複数回指定できます。",
        "A vector file to search; can be given several times.": "検索するベクトルファイル。複数回指定できます。",
        "What matrix products compute in: f32 (if not given), bf16 or int8.": "行列積の精度: f32(既定)、bf16、int8。",
        "Longest sentence in tokens; the model's own limit if not given.": "文の最大の長さ(トークン数)。指定しなければモデルの上限。",
        "Text put before every sentence.": "各文の前に置くテキスト(プロンプト)。",
        "Refuse too long texts with status 400 instead of cutting them.": "長すぎるテキストを、切り詰めずにステータス 400 で断ります。",
        """
        kotonoha serve --model all-MiniLM-L6-v2
        curl -s localhost:8080/v1/embeddings -H 'Content-Type: application/json' -d '{"input": "two dogs play in snow"}'

        A sentence has the same vector, to the last bit, as kotonoha embed gives it, however many clients ask at once. /docs lists the
        paths. SIGTERM ends the server when the accepted requests are answered.
        """: """
        kotonoha serve --model all-MiniLM-L6-v2
        curl -s localhost:8080/v1/embeddings -H 'Content-Type: application/json' -d '{"input": "犬が雪の上で遊ぶ"}'

        文のベクトルは、同時に要求するクライアントの数によらず、kotonoha embed の
        ベクトルと最後のビットまで同じです。パスの一覧は /docs にあります。SIGTERM を
        受けると、受け付けた要求に答えてから終了します。
        """,

        // explore
        "A map (map.h5); or a vector file, whose first two principal components are drawn.": "地図(map.h5)、または第1・第2主成分を描くベクトルファイル。",
        "The address to listen on.": "待ち受けるアドレス。",
        "The port to listen on; 0 for any that is free.": "待ち受けるポート。0 なら空いているもの。",
        "Listen on a Unix socket too, which only its owner may open.": "所有者だけが開ける Unix ソケットでも待ち受けます。",
        "What clients must send as Authorization: Bearer KEY; better in KOTONOHA_KEY or --key-file, since others see command lines.": "クライアントが Authorization: Bearer KEY として送るべき鍵。コマンドラインは他人に見えるので、KOTONOHA_KEY か --key-file のほうが安全です。",
        "A file whose first line is the key.": "最初の行が鍵であるファイル。",
        "Answer anyone, also on an address that is not loopback.": "ループバックでないアドレスでも、鍵なしで答えます。",
        "Host name clients may use besides localhost and addresses; can be repeated.": "localhost とアドレスのほかに、クライアントが使えるホスト名。複数回指定できます。",
        "Worker threads; results do not depend on the number.": "計算に使うスレッド数。結果には影響しません。",
        "Tokens of a batch.": "バッチのトークン数。",
        "Refuse requests with status 429 while this many tokens wait.": "待っているトークンがこの数になったら、要求をステータス 429 で断ります。",
        "Largest body of a request in bytes.": "要求の本体の最大の大きさ(バイト)。",
        "Say nothing but errors.": "エラーだけを表示します。",
        "The vector file of the map; looked for beside the map if not given.": "地図のもとになったベクトルファイル。指定しなければ地図の隣で探します。",
        "A second map of the same vector file, shown beside the first.": "同じベクトルファイルの二つめの地図。隣に並べて示します。",
        "The model that embeds queries; the one that the vector file names if not given.": "クエリを埋め込むモデル。指定しなければ、ベクトルファイルを作ったモデル。",
        "Title of the page.": "ページの題。",
        """
        kotonoha tsne vectors.h5 -o map.h5
        kotonoha explore map.h5 --vectors vectors.h5

        Prints an address to open in a browser. Points have the colours of any column; draw around some, and save them as a table that
        kotonoha vectors label turns into a column.
        """: """
        kotonoha tsne vectors.h5 -o map.h5
        kotonoha explore map.h5 --vectors vectors.h5

        ブラウザーで開くアドレスを出力します。点はどの列でも塗り分けられます。点を線で
        囲むと表に保存でき、
        その表は kotonoha vectors label で列になります。
        """,

        // shard
        """
        kotonoha shard plan corpus.tsv -o corpus.kset --model kotonoha-small > embed.sbatch
        sbatch embed.sbatch                      (or, without Slurm: kotonoha shard run corpus.kset)
        kotonoha shard finish corpus.kset
        kotonoha rank corpus.kset "two dogs play in snow"
        """: """
        kotonoha shard plan corpus.tsv -o corpus.kset --model kotonoha-small > embed.sbatch
        sbatch embed.sbatch                      (Slurm がなければ: kotonoha shard run corpus.kset)
        kotonoha shard finish corpus.kset
        kotonoha rank corpus.kset "犬が雪の上で遊ぶ"
        """,

        // shard plan
        "The files with the sentences, on a disk shared by all tasks.": "文のファイル(すべてのタスクが共有するディスクに置きます)。",
        "The set's folder, NAME.kset.": "セットのフォルダー(NAME.kset)。",
        "Rows per shard.": "シャードごとの行の数。",
        "Tasks of the job array; by default one per shard, at most 1000.": "ジョブ配列のタスク数。既定はシャードごとに一つ、最大 1000。",
        "Cores per task, for the script.": "タスクごとのコア数(スクリプト用)。",
        "The instruction set used on all nodes (avx2, avx512_core, avx512_core_vnni, avx512_core_bf16); by default that of this machine.": "全ノードで使う命令セット(avx2、avx512_core、avx512_core_vnni、avx512_core_bf16)。既定はこのマシンのもの。",
        """
        Reads text, TSV, CSV or JSON lines in UTF-8 once, writes the plan into the
        set's folder, and prints a script for sbatch. Nothing is submitted.
        """: """
        テキスト、TSV、CSV、JSON Lines(UTF-8)を一度読み、セットのフォルダーに計画を
        書き、sbatch 用のスクリプトを出力します。ジョブは投入しません。
        """,

        // shard run
        "This task, from 0; by default SLURM_ARRAY_TASK_ID, or all shards.": "このタスクの番号(0 から)。既定は SLURM_ARRAY_TASK_ID、なければすべてのシャード。",
        "The number of tasks; by default the plan's.": "タスク数。既定は計画のとおり。",
        "The model's folder, if it is not where the plan says.": "計画が示す場所にない場合の、モデルのフォルダー。",
        """
        In a job array the task is SLURM_ARRAY_TASK_ID. SIGTERM and Control-C stop
        after the current block of rows (exit status 130); the same command resumes
        from there.
        """: """
        ジョブ配列では、タスクは SLURM_ARRAY_TASK_ID です。SIGTERM と Control-C では、
        計算中の行のまとまりが終わったところで止まり(終了コード 130)、同じコマンドで
        再開できます。
        """,

        // shard status
        "Read the finished shards and compare hashes; by default only sizes are compared.": "終わったシャードを読み、ハッシュを照合します。指定しなければ大きさだけを比べます。",
        "A table of all shards (.tsv, .csv, .xlsx, .jsonl or .json).": "すべてのシャードの表(.tsv、.csv、.xlsx、.jsonl、.json)。",

        // shard finish
        "The set's folder.": "セットのフォルダー。",
        "Read all shards and compare their hashes.": "すべてのシャードを読み、ハッシュを照合します。",
        "Also write an HDF5 file whose datasets are views of the shards, for h5py. HDF5 silently reads the rows of a missing shard as zeros.": "シャードを参照するデータセットを持つ HDF5 ファイルも書きます(h5py 用)。シャードが欠けていても、HDF5 は何も言わずその行を 0 として読みます。",
    ]
}
