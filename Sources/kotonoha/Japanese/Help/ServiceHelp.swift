// One pair of texts per line.
// swift-format-ignore-file

extension Japanese {
    /// Of `serve`, `explore` and `shard`.
    static let serviceHelp: KeyValuePairs<String, String> = [
        // serve
        "A sentence encoder or reranker: a folder or a name; may be given several times.": "文のエンコーダーまたはリランカー(フォルダーまたは名前)。複数回指定できます。",
        "A vector file to search; may be given several times.": "検索するベクトルファイル。複数回指定できます。",
        "Precision of matrix products: f32 (default), bf16 or int8.": "行列積の精度: f32(既定)、bf16、int8。",
        "Maximum sentence length in tokens; by default the model's limit.": "文の最大の長さ(トークン数)。既定はモデルの上限です。",
        "Reject texts that are too long with status 400 instead of truncating them.": "長すぎるテキストを、切り詰めずにステータス 400 で拒否します。",
        """
        kotonoha serve --model all-MiniLM-L6-v2
        curl -s localhost:8080/v1/embeddings -H 'Content-Type: application/json' -d '{"input": "two dogs play in snow"}'

        A sentence gets the same vector, bit for bit, as from kotonoha embed, however
        many clients ask at once. /docs lists the paths. After SIGTERM the server
        answers the requests it has accepted, then exits.
        """: """
        kotonoha serve --model all-MiniLM-L6-v2
        curl -s localhost:8080/v1/embeddings -H 'Content-Type: application/json' -d '{"input": "犬が雪の上で遊ぶ"}'

        文のベクトルは、同時に問い合わせるクライアントの数によらず、kotonoha embed の
        ベクトルとビット単位で同じです。パスの一覧は /docs にあります。SIGTERM を
        受けると、受け付けたリクエストに答えてから終了します。
        """,

        // explore
        "A map (map.h5), or a vector file whose first two principal components are drawn.": "地図(map.h5)、または第1・第2主成分を描くベクトルファイル。",
        "The address to listen on.": "待ち受けるアドレス。",
        "The port to listen on; 0 for any free port.": "待ち受けるポート。0 なら空いているもの。",
        "Also listen on a Unix socket, which only its owner can open.": "所有者だけが開ける Unix ソケットでも待ち受けます。",
        "The key that clients send as Authorization: Bearer KEY; KOTONOHA_KEY or --key-file is safer, as other users can see command lines.": "クライアントが Authorization: Bearer KEY として送る鍵。コマンドラインはほかの利用者にも見えるので、KOTONOHA_KEY か --key-file のほうが安全です。",
        "A file whose first line is the key.": "最初の行が鍵であるファイル。",
        "Answer without a key, even on addresses other than loopback.": "ループバックでないアドレスでも、鍵なしで答えます。",
        "A host name that clients may use besides localhost and addresses; may be given several times.": "localhost とアドレスのほかに、クライアントが使えるホスト名。複数回指定できます。",
        "Number of worker threads; results do not depend on it.": "ワーカースレッド数。結果には影響しません。",
        "Maximum number of tokens per batch.": "バッチの最大のトークン数。",
        "Reject requests with status 429 while this many tokens are waiting.": "待っているトークンがこの数に達している間は、リクエストをステータス 429 で拒否します。",
        "Maximum size of a request body in bytes.": "リクエストの本文の最大の大きさ(バイト)。",
        "The map's vector file; by default it is looked for next to the map.": "地図のもとになったベクトルファイル。指定しなければ地図の隣で探します。",
        "A second map of the same vector file, shown next to the first.": "同じベクトルファイルの二つめの地図。隣に並べて示します。",
        "The model that embeds queries; by default the one that made the vector file.": "クエリを埋め込むモデル。指定しなければ、ベクトルファイルを作ったモデル。",
        "Title of the page.": "ページの題。",
        """
        kotonoha tsne vectors.h5 -o map.h5
        kotonoha explore map.h5 --vectors vectors.h5

        Prints an address to open in a browser. Colour the points by any column; draw
        around some of them to save them as a table, which kotonoha vectors label turns
        into a column.
        """: """
        kotonoha tsne vectors.h5 -o map.h5
        kotonoha explore map.h5 --vectors vectors.h5

        ブラウザーで開くアドレスを出力します。点はどの列でも塗り分けられます。点を線で
        囲むと表に保存でき、kotonoha vectors label でその表を列にできます。
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
        "Also write an HDF5 file whose datasets are views of the shards, for h5py. HDF5 silently reads the rows of a missing shard as zeros.": "シャードを参照するデータセットを持つ HDF5 ファイルも書きます(h5py 用)。シャードが欠けていても、HDF5 はエラーにせず、その行を 0 として読みます。",
    ]
}
