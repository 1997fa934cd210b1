import FileFormats
import Foundation
import TestSupport
import Testing

/// What a user of the main road meets in Japanese when something is wrong deep in the library, provoked by real files and options.
@Suite struct JapaneseErrorTests {
    let program: Program
    let model: String

    init() throws {
        program = try Program()
        model = try TinyModel().folder.path
        let files: [(name: String, text: String)] = [
            ("t.csv", "scene,text\nbeach,two dogs\nkitchen,snow\nbeach,a cat\n"), ("ragged.csv", "a,b\n1,2\n3\n"),
            ("open.csv", "text,b\n\"two dogs,1\n"), ("bad.jsonl", "{\"text\": \"a\"}\n{\"text\": \n"), ("a.pdf", "%PDF-1.4\n"),
            ("nul.txt", "a\nb\0c\n"),
            ("one.csv", "text,label\na,x\nb,x\nc,x\n"), ("number.csv", "text,label\na,x\nb,1\n"), ("words.txt", "one two\nthree\n"),
            ("short.vec", "2 3\na 1 2 3\nb 1 2\n"), ("cut.vec", "3 2\na 1 2\nb 1 2\n"), ("letter.vec", "2 2\na 1 2\nb 1 x\n"),
            ("pairs.csv", "a,b,c,d\nx,y,z,w\nq,r,s,t\n"), ("broken.json", "{\"tokenizer\": }"),
            ("slip.json", "{\"tokenizer\": \"t.json\", \"step\": 3}"),
            ("tasks.json", #"{"tasks": [{"table": "t.csv"}]}"#),
            ("weight.json", #"[{"name": "a", "table": "t.csv", "columns": "text", "label": "scene", "weight": 0}]"#),
            ("skew.csv", "x,a,b\na,0,1\nb,2,0\n"), ("similar.csv", "x,a,b\na,1,0.5\nb,0.5,1\n"), ("questions.txt", "a b c\n"),
            ("t.conllu", "1\ta\ta\n\n"),
        ]
        for (name, text) in files { _ = try program.write(name, text) }
        _ = try program.write("latin.txt", Array("caf".utf8) + [0xE9, 0x0A])
        try FileManager.default.createDirectory(atPath: program.path("empty"), withIntermediateDirectories: true)
        for (name, more) in [("v.h5", [String]()), ("s.h5", ["--truncate-dim", "8"])] {
            let made = try program.run(["embed", "t.csv", "-o", name, "--column", "text", "--model", model, "--quiet"] + more)
            #expect(made.status == 0, "\(made.errors)")
        }
        _ = try program.write("cut.h5", program.bytes("v.h5").prefix(3000))
    }

    @Test func errorsOfTheLibraryAreInJapanese() throws {
        let embed = "embed -o w.h5 --model MODEL --column text"
        let cases: [(command: String, status: Int32, message: String)] = [
            ("embed ragged.csv -o w.h5 --model MODEL --column a", 65, "ragged.csv:3: この行はセル 1 個ですが、最初の行は 2 個です"),
            ("embed open.csv -o w.h5 --model MODEL --column text", 65, "open.csv:2: この行の引用符が閉じていません"),
            ("embed bad.jsonl -o w.h5 --model MODEL", 65, "bad.jsonl:2: JSON が正しくありません: 値が必要なところで終わっています"),
            ("embed a.pdf -o w.h5 --model MODEL", 65, "a.pdf: これはPDFで、テキストではありません"),
            ("embed nul.txt -o w.h5 --model MODEL", 65, "nul.txt:2: この行に NUL バイトがあります"),
            ("embed latin.txt -o w.h5 --model MODEL --encoding utf-8", 65, "latin.txt:1: この行は正しい UTF-8 ではありません。latin-1 なら読めます。"),
            ("\(embed) t.csv --truncate-dim 999", 64, "--truncate-dim 999 が 1 からモデルの次元 24 までの間にありません"),
            ("\(embed) t.csv --prompt-name query", 64, "モデルにプロンプト 'query' はありません。プロンプトのないモデルです"),
            ("\(embed) t.csv --word scene", 65, "t.csv:2: \"beach\" は \"two dogs\" の中にありません"),
            ("embed t.csv -o w.h5 --column text --model ./empty", 66, "モデルのフォルダーではありません(config.json も modules.json もありません)"),
            ("embed t.conllu -o l.h5 --tokens --model MODEL", 65, "1 行目からの文: この行は 3 列です。タブ区切りの 10 列が必要です"),
            ("info cut.h5", 65, "cut.h5: この HDF5 ファイルは壊れています: 開けません: "),
            ("tsne v.h5 -o m.csv --perplexity 30", 64, "パープレキシティ 30 には 91 点以上必要ですが、3 点です。"),
            ("umap v.h5 -o m.csv", 64, "近傍 15 点には点が同じ数以上必要ですが、3 点です"),
            ("pca v.h5 -o p.h5 --components 10", 64, "24 次元のベクトル 3 個から主成分 10 個は求められません。3 個までです"),
            ("cluster v.h5 -o c.csv --clusters 7", 64, "クラスター 7 個には 0 でないベクトルが同じ数以上必要ですが、3 個です"),
            ("rank v.h5 cat --model MODEL --threshold high", 64, "しきい値 'high' が、-1 から 1 までのコサイン類似度でも"),
            ("rank v.h5 --query-vectors s.h5", 65, "クエリの次元は 8、ベクトルの次元は 24 です。同じモデルのものでなければなりません"),
            ("rank v.h5 cat --model MODEL --where color=red", 64, "v.h5: 列 'color' はありません。列は text, scene です"),
            ("contrast v.h5 --by scene --between beach,kitchen", 65, "条件内の類似度には条件ごとに文が三つ以上必要ですが、2 文と 1 文です"),
            ("contrast t.csv --by scene --between beach,kitchen --value text", 65, "t.csv:2: 列 text の \"two dogs\" は数ではありません"),
            ("similarity --pairs pairs.csv --model MODEL", 64, "二つの文はどの列ですか。--columns 文1,文2 で指定してください: "),
            ("mds skew.csv -o m.csv", 65, "行列が対称ではありません。'a' から 'b' は 1.0、逆は 2.0 です"),
            ("mds similar.csv -o m.csv", 65, "'a' とそれ自身の非類似度が 0 ではなく 1.0 です。類似度の行列ですか。"),
            ("convert short.vec -o w.h5", 65, "short.vec:3: 成分が 2 個です(ヘッダーでは 3 個)"),
            ("convert cut.vec -o w.h5", 65, "cut.vec: ヘッダーでは 3 語ですが、ファイルには 2 語あります。"),
            ("convert letter.vec -o w.h5", 65, "letter.vec:3: \"b\" の成分 2 が数ではありません: \"x\""),
            ("evaluate analogies questions.txt --model v.h5", 65, "questions.txt:1: 一つの問いに単語が四つ必要ですが、3 個です"),
            ("evaluate choice t.csv --model MODEL", 64, "選択肢はどの列ですか。--options option1,option2 のように指定してください。"),
            ("train classifier one.csv --column text --label label -o c --model MODEL", 65, "one.csv: 列 label のクラスは 'x' だけです。"),
            (
                "train classifier number.csv --column text --label label --task regression -o c --model MODEL", 65,
                "number.csv:2: 列 label の \"x\" は数ではありません。--task regression には数が必要です"
            ),
            ("train classifier t.csv --column text --label scene --freeze all --folds 9 --model MODEL", 65, "9 分割には行が 9 以上、"),
            ("train classifier t.csv --column text --label scene --freeze 99 -o c --model MODEL", 64, "--freeze 99 がモデルの 2 層より多くなっています"),
            ("train classifier --tasks tasks.json -o c --model MODEL", 65, "tasks.json: tasks[0]: 'name' がありません"),
            ("train classifier --tasks weight.json -o c --model MODEL", 65, "weight.json: 課題 'a': 'weight' は 0 より大きく"),
            ("train lm broken.json -o lm", 65, "broken.json:1: JSON が正しくありません: 値が必要ですが、'}' があります"),
            ("train lm slip.json -o lm", 65, "slip.json: 'step' というキーはここでは使えません。使えるのは tokenizer, "),
            ("train vocabulary words.txt -o t.json --size 8", 64, "語彙 8 トークンには、特殊トークン 5 個と1文字のトークン 8 個が入りません。"),
            ("train words words.txt -o w.vec", 65, "5 回以上現れる単語がありませんが、二つ必要です。"),
            ("model pull a/b/c", 64, "'a/b/c' はハブのモデル名ではありません。"), ("model pull a/b", 69, "a/b: HF_HUB_OFFLINE が設定されているので、ダウンロードしません。"),
            ("generate ./empty t.csv", 66, "config.json がありません。`train seq2seq` が書いたフォルダーが必要です"),
            ("simulate naming t.csv", 65, "列 correct(正答)がありません。列は scene, text です"),
        ]
        let sentence = try Regex("[A-Za-z]+( [a-z]+){3}")
        for (command, status, message) in cases {
            let arguments = command.split(separator: " ").map { $0 == "MODEL" ? model : String($0) }
            let run = try program.run(arguments, environment: ["KOTONOHA_LANGUAGE": "ja", "HF_HUB_OFFLINE": "1"])
            #expect(run.status == status && run.errors.contains(message), "\(command): \(run.status) \(run.errors)")
            let last = run.errors.split(separator: "\n").last { $0.hasPrefix("kotonoha: ") } ?? ""
            // The reason of another library, after the last colon, is in its own words.
            let own = command.hasSuffix("cut.h5") ? "" : last
            #expect(own.firstMatch(of: sentence) == nil, "\(command): \(last)")
        }
    }
}
