import FileFormats
import Foundation
import TestSupport
import Testing
import VectorStore

/// Classifiers and autoencoders as a user asks for them.
@Suite struct ClassifierCommandTests {
    let program: Program
    let model: String

    init() throws {
        program = try Program()
        model = try TinyModel().folder.path
        let words = ["snow", "dogs", "play", "the cat", "two in the", "cat dogs", "snow play", "two cat"]
        var table = "speaker\ttext\tlabel\tscore\tmany\n"
        for row in 0..<96 {
            let word = words[row % 8], other = words[row * 5 / 8 % 8], isCold = row % 8 < 3
            table +=
                "s\(row / 4)\t\(word) \(other) \(row % 2 == 0 ? "." : ",")\t\(isCold ? "cold day" : "warm day")\t\(row % 8)\t\(isCold ? "a" : "b;c")\n"
        }
        _ = try program.write("t.tsv", table)
    }

    private func run(_ arguments: String...) throws -> Program.Result {
        let result = try program.run(arguments)
        #expect(result.status == 0, "\(arguments): \(result.errors)")
        return result
    }

    private func text(_ name: String) throws -> String { String(decoding: try program.bytes(name), as: UTF8.self) }

    @Test func foldsOfFrozenVectorsToAResultsParagraph() throws {
        let arguments = [
            "train", "classifier", "t.tsv", "--column", "text", "--label", "label", "--group-column", "speaker", "--folds", "4",
            "--stratify", "--freeze", "all", "--model", model,
            "--resamples", "200", "--calibrate", "-o", "cv.tsv", "--figure", "m.svg", "--calibration-figure", "c.svg", "--language", "ja",
        ]
        let result = try program.run(arguments)
        #expect(
            result.status == 0 && result.output.contains("majority\t0.6250") && result.output.contains("F1 of cold day"),
            "\(result.errors) \(result.output)")
        #expect(result.output.contains("McNemar"))
        let lines = try text("cv.tsv").split(separator: "\n")
        #expect(
            lines.count == 97 && lines[0] == "line\ttext\tgroup\tlabel\tprediction\tcorrect\tfold\tp:cold day\tp:warm day", "\(lines[0])")
        #expect(
            FileManager.default.fileExists(atPath: program.path("m.svg")) && FileManager.default.fileExists(atPath: program.path("c.svg")))
        let english = try run("methods", "cv.tsv", "--results").output,
            japanese = try run("methods", "cv.tsv", "--results", "--language", "ja").output
        #expect(
            english.contains("On 96 rows (24 groups), the classifier reached accuracy = ") && english.contains("McNemar's exact test"),
            "\(english)")
        #expect(japanese.contains("96行（24群）に対する分類器の成績は、正答率 = ") && japanese.contains("最頻クラスとの"), "\(japanese)")
        let methods = try run("methods", "cv.tsv").output
        #expect(
            methods.contains("multinomial logistic regression")
                && methods.contains("4-fold stratified cross-validation that split none of the 24 groups")
                && methods.contains("(Matthews, 1975)"), "\(methods)")
        // The same again, whatever the threads.
        let first = try program.bytes("cv.tsv")
        #expect(try program.run(arguments + ["--threads", "1"]).status == 0)
        #expect(try program.bytes("cv.tsv") == first)
        let json = try JSON(parsing: program.run(arguments + ["--json"]).output)
        #expect(
            json["classifiers"]?.array?.map { $0["name"]?.string?.split(separator: " ").first } == ["majority", "character", "frozen"],
            "\(json)")
        #expect(json["leakage"]?["shared_groups"]?.int == 0)
    }

    @Test func savedClassifiersClassifyAndAreEvaluated() throws {
        _ = try run(
            "train", "classifier", "t.tsv", "--column", "text", "--label", "label", "--freeze", "all", "--model", model, "-o", "frozen",
            "--calibrate", "--quiet")
        _ = try run(
            "train", "classifier", "t.tsv", "--column", "text", "--label", "label", "--model", model, "-o", "tuned", "--epochs", "12",
            "--batch-size", "16", "--learning-rate", "3e-3",
            "--class-weights", "balanced", "--layer-decay", "0.9", "--penalty", "weights=0.01@pretrained", "--early-stopping", "--quiet")
        let configuration = try JSON(contentsOf: program.path("tuned/config.json"))
        #expect(
            configuration["architectures"]?.array?.first?.string == "BertForSequenceClassification"
                && configuration["id2label"]?["0"]?.string == "cold day")
        #expect(
            try JSON(contentsOf: program.path("frozen/modules.json")).array?.last?["type"]?.string == "sentence_transformers.models.Dense")
        _ = try program.write("new.csv", "id,text\n1,snow dogs\n2,\n3,\"the cat, two\"\n")
        for classifier in ["frozen", "tuned"] {
            _ = try run("classify", classifier, "new.csv", "-o", "out.csv")
            let lines = try text("out.csv").split(whereSeparator: \.isNewline)
            #expect(
                lines.count == 4 && lines[0] == "id,text,prediction,probability,p:cold day,p:warm day" && lines[2] == "2,,,,,", "\(lines)")
            let json = try JSON(
                parsing: run(
                    "evaluate", "classifier", classifier, "t.tsv", "--column", "text", "--label", "label", "--resamples", "100", "--json"
                ).output)
            let accuracy = json["classifiers"]?.array?.last?["accuracy"]?["value"]?.double ?? 0
            #expect(accuracy > 0.65, "\(classifier) \(accuracy)")
        }
        let both = try run(
            "evaluate", "classifier", "tuned", "t.tsv", "--column", "text", "--label", "label", "--against", "frozen", "--train", "t.tsv",
            "--resamples", "100", "-o", "e.tsv")
        #expect(
            both.output.contains("tuned − frozen") && both.errors.contains("test rows have a text that is also in the training rows"),
            "\(both.output) \(both.errors)")
        #expect(try run("methods", "e.tsv", "--results").output.contains("McNemar"))
        _ = try run("classify", "frozen", "new.csv", "--calibrated", "-o", "calibrated.csv", "--json")
        // JSON on standard output does not replace the table that was asked for.
        #expect(FileManager.default.fileExists(atPath: program.path("calibrated.csv")))
        #expect(try run("methods", "calibrated.csv").output.contains("calibrated by a temperature (Guo et al., 2017)"))
        // Words of each row, which add up to the score of its label.
        _ = try run("classify", "tuned", "new.csv", "-o", "out.csv", "--explain", "why.tsv")
        let predictions = try text("out.csv").split(whereSeparator: \.isNewline).dropFirst().map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        let words = try text("why.tsv").split(whereSeparator: \.isNewline).map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
        #expect(words[0] == ["line", "label", "position", "sentence", "word", "attribution", "score", "reference_score"])
        #expect(words.dropFirst().prefix { $0[0] == "2" }.map { $0[4] } == ["snow", "dogs"], "\(words)")
        for line in ["2", "4"] {
            let own = words.filter { $0[0] == line }, number = { (text: String) in Double(text) ?? .nan }
            let sum = own.reduce(0) { $0 + number($1[5]) }, expected = number(own[0][6]) - number(own[0][7])
            #expect(abs(sum - expected) < 0.02 * max(abs(expected), 0.1), "\(sum) \(expected)")
            #expect(own.allSatisfy { $0[1] == String(predictions[line == "2" ? 0 : 2].reversed()[3]) })
        }
        #expect(try program.run("classify", "frozen", "new.csv", "--explain", "no.csv").status == 64)
        #expect(try program.run("classify", "tuned", "new.csv", "--calibrated").status == 64)
        #expect(try program.run("classify", model, "new.csv").status == 64)
        #expect(
            try program.run(
                "train", "classifier", "t.tsv", "--column", "text", "--label", "label", "--freeze", "all", "--model", model, "-o", "frozen",
                "--quiet"
            ).status == 73)
    }

    @Test func regressionMultilabelAndPairs() throws {
        let regression = try run(
            "train", "classifier", "t.tsv", "--column", "text", "--label", "score", "--task", "regression", "--folds", "3", "--freeze",
            "all", "--model", model, "--resamples", "100")
        #expect(regression.output.contains("classifier\tpearson\tspearman\trmse"), "\(regression.output)")
        let many = try run(
            "train", "classifier", "t.tsv", "--column", "text", "--label", "many", "--task", "multilabel", "--folds", "3", "--freeze",
            "all", "--model", model, "--resamples", "100")
        #expect(many.output.contains("micro_f1") && many.output.contains("F1 of c"), "\(many.output)")
        var pairs = "a\tb\tsame\n"
        for row in 0..<40 {
            pairs += "snow dogs \(row % 7)\t\(row % 2 == 0 ? "snow dogs" : "the cat") \(row % 5)\t\(row % 2 == 0 ? "yes" : "no")\n"
        }
        _ = try program.write("pairs.tsv", pairs)
        let frozen = try run(
            "train", "classifier", "pairs.tsv", "--column", "a", "--second-column", "b", "--label", "same", "--folds", "2", "--freeze",
            "all", "--model", model, "--resamples", "100", "--json")
        #expect(try JSON(parsing: frozen.output)["classifiers"]?.array?.last?["accuracy"]?["value"]?.double ?? 0 > 0.9, "\(frozen.output)")
        _ = try run(
            "train", "classifier", "pairs.tsv", "--column", "a", "--second-column", "b", "--label", "same", "--model", model, "-o", "pair",
            "--epochs", "2", "--quiet")
        _ = try run("classify", "pair", "pairs.tsv", "--column", "a", "--second-column", "b", "-o", "judged.tsv")
        #expect(
            try program.run(
                "train", "classifier", "pairs.tsv", "--column", "a", "--second-column", "b", "--label", "same", "--freeze", "all",
                "--model", model, "-o", "no"
            ).status == 64)
        let seeds = try run(
            "train", "classifier", "t.tsv", "--column", "text", "--label", "label", "--test", "t.tsv", "--model", model, "--epochs", "1",
            "--seeds", "2", "--resamples", "100")
        #expect(seeds.output.contains("fine-tuned model") && seeds.output.contains(" ± "), "\(seeds.output)")
    }

    @Test func badInputIsAnswered() throws {
        _ = try program.write("one.tsv", "text\tlabel\na cat\tx\na dog\tx\n")
        _ = try program.write("ids.tsv", "text\tlabel\n" + (0..<60).map { "cat \($0)\tid\($0)\n" }.joined())
        _ = try program.write(
            "holes.tsv", "text\tlabel\n" + (0..<40).map { "cat \($0)\t\($0 % 5 == 0 ? "" : $0 % 2 == 0 ? " even " : "odd")\n" }.joined())
        _ = try program.write(
            "grouped.tsv",
            "text\tlabel\tg\n" + (0..<40).map { "cat \($0)\t\($0 < 8 ? "rare" : "common")\t\($0 < 8 ? "g0" : "g\($0 / 4)")\n" }.joined())
        func refused(_ arguments: [String], _ status: Int32, _ message: String) throws {
            let result = try program.run(["train", "classifier"] + arguments + ["--column", "text", "--model", model, "--freeze", "all"])
            #expect(result.status == status && result.errors.contains(message), "\(arguments): \(result.status) \(result.errors)")
        }
        try refused(["one.tsv", "--label", "label", "--folds", "2"], 65, "only one class, 'x'")
        try refused(["ids.tsv", "--label", "label", "--folds", "2"], 65, "looks like ids")
        try refused(["holes.tsv", "--label", "label", "--folds", "2", "--missing-labels", "error"], 65, "8 rows without a label")
        try refused(["grouped.tsv", "--label", "label", "--group-column", "g", "--folds", "3"], 65, "no row of the class rare")
        try refused(["t.tsv", "--label", "nothing", "--folds", "2"], 64, "no column nothing")
        try refused(["t.tsv", "--label", "label"], 64, "-o MODEL")
        try refused(["t.tsv", "--label", "label", "--folds", "2", "--test", "t.tsv"], 64, "exclude each other")
        try refused(["t.tsv", "--label", "label", "--folds", "2", "--penalty", "weights=1"], 64, "--freeze all")
        try refused(["t.tsv", "--label", "label", "--folds", "2", "-o", "out.docx"], 64, "out.docx")
        try refused(["t.tsv", "--label", "text", "--task", "regression", "--folds", "2"], 65, "is not a number")
        let holes = try run(
            "train", "classifier", "holes.tsv", "--column", "text", "--label", "label", "--folds", "2", "--freeze", "all", "--model", model,
            "--resamples", "50")
        #expect(
            holes.errors.contains("8 rows without a label left out (lines 2, 7,") && holes.errors.contains("spaces around labels"),
            "\(holes.errors)")
        _ = try run(
            "train", "classifier", "t.tsv", "--column", "text", "--label", "label", "--freeze", "all", "--model", model, "-o", "known",
            "--quiet")
        let strange = try program.run("evaluate", "classifier", "known", "holes.tsv", "--column", "text", "--label", "label")
        #expect(
            strange.status == 65 && strange.errors.contains("'even'") && strange.errors.contains("'cold day', 'warm day'"),
            "\(strange.errors)")
        #expect(
            try program.run(
                "train", "classifier", "t.tsv", "--column", "text", "--label", "label", "--freeze", "9", "--model", model, "-o", "deep",
                "--quiet"
            ).errors.contains("2 layers"))
    }

    @Test func aLinearHeadIsALayerBehindTheVectors() throws {
        let arguments = [
            "train", "classifier", "t.tsv", "--column", "text", "--label", "label", "--model", model, "--head", "linear", "--epochs", "8",
            "--batch-size", "16", "--learning-rate", "3e-3",
        ]
        #expect(try program.run(arguments + ["-o", "linear", "--quiet"]).status == 0)
        #expect(
            try JSON(contentsOf: program.path("linear/modules.json")).array?.map { $0["path"]?.string } == ["", "1_Pooling", "2_Dense"])
        #expect(
            try JSON(contentsOf: program.path("linear/config.json"))["architectures"]?.array?.first?.string?.hasSuffix(
                "ForSequenceClassification") != true)
        let json = try JSON(
            parsing: run(
                "evaluate", "classifier", "linear", "t.tsv", "--column", "text", "--label", "label", "--resamples", "100", "--json"
            ).output)
        #expect(json["classifiers"]?.array?.last?["accuracy"]?["value"]?.double ?? 0 > 0.65, "\(json)")
        #expect(try program.run(arguments + ["--folds", "2", "--resamples", "50", "-o", "cv.tsv"]).status == 0)
        #expect(
            try run("methods", "cv.tsv").output.contains("with a new linear output layer on its pooled last layer to predict the labels"))
        _ = try program.write("new.csv", "id,text\n1,snow dogs\n")
        #expect(try program.run("classify", "linear", "new.csv", "--explain", "why.tsv").status == 64)
        let frozen = try program.run(
            arguments.filter { !["8", "16", "3e-3", "--epochs", "--batch-size", "--learning-rate"].contains($0) } + [
                "--freeze", "all", "-o", "no",
            ])
        #expect(frozen.status == 64 && frozen.errors.contains("--head is for fine-tuning"), "\(frozen.errors)")
        let pairs = try program.run(arguments + ["--second-column", "text", "-o", "no"])
        #expect(pairs.status == 64 && pairs.errors.contains("a linear head on pairs"), "\(pairs.errors)")
    }

    @Test func tasksGetAModelEachAndATableOfScores() throws {
        _ = try program.write(
            "tasks.json",
            #"""
            {"tasks": [{"name": "weather", "table": "t.tsv", "columns": "text", "label": "label", "group": "speaker"},
                       {"name": "degree", "table": "t.tsv", "columns": "text", "label": "score", "task": "regression", "head": "linear", "weight": 0.5, "development": "t.tsv"}]}
            """#)
        let arguments = [
            "train", "classifier", "--tasks", "tasks.json", "--model", model, "-o", "both", "--epochs", "2", "--batch-size", "16",
            "--learning-rate", "3e-3", "--resamples", "100",
            "--early-stopping", "--calibrate",
        ]
        let result = try program.run(arguments)
        #expect(
            result.status == 0 && result.output.contains("task\tweather\nclassifier\taccuracy")
                && result.output.contains("task\tdegree\nclassifier\tpearson"), "\(result.errors) \(result.output)")
        #expect(
            result.output.contains("multi-task model") && result.errors.contains("both: weather, degree; scores in scores.tsv"),
            "\(result.errors)")
        let lines = try text("both/scores.tsv").split(separator: "\n").map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
        #expect(lines[0] == ["task", "classifier", "measure", "value", "low", "high", "rows"])
        // Three classifiers of each task; six measures of two classes, three of numbers.
        #expect(
            lines.count == 1 + 3 * 6 + 3 * 3 && lines[1][0] == "weather" && lines.last?[0] == "degree" && lines.last?[6] == "96", "\(lines)"
        )
        #expect(try JSON(contentsOf: program.path("both/weather/config.json"))["kotonoha"]?["temperature"]?.double ?? 0 > 0)
        _ = try program.write("new.csv", "id,text\n1,snow dogs\n2,\"the cat, two\"\n")
        _ = try run("classify", "both/weather", "new.csv", "-o", "weather.csv")
        #expect(try text("weather.csv").hasPrefix("id,text,prediction,probability,p:cold day,p:warm day"))
        _ = try run("classify", "both/degree", "new.csv", "-o", "degree.csv")
        #expect(try text("degree.csv").split(whereSeparator: \.isNewline).count == 3)
        let methods = try run("methods", "both/scores.tsv").output
        #expect(
            methods.contains("was fine-tuned on 2 tasks at once, each with a head of its own") && methods.contains("(Liu et al., 2019)")
                && methods.contains("degree (numbers; 96 training texts; linear head; loss × 0.5)"), "\(methods)")
        #expect(try run("methods", "both/scores.tsv", "--results").output.contains("Task weather: On "))
        #expect(try run("methods", "both/scores.tsv", "--language", "ja").output.contains("2個の課題で同時にファインチューニングした"))
        // Not over a finished model; the same again, whatever the threads.
        let again = try program.run(arguments)
        #expect(again.status == 73 && again.errors.contains("both/weather"), "\(again.errors)")
        let
            files = [
                "both/scores.tsv", "both/weather/model.safetensors", "both/degree/model.safetensors",
                "both/degree/2_Dense/model.safetensors",
            ], before = try files.map { try program.bytes($0) }
        #expect(try program.run(arguments + ["--force", "--fresh", "--threads", "1", "--json"]).status == 0)
        #expect(try files.map { try program.bytes($0) } == before)
    }

    @Test func badTasksAreAnswered() throws {
        _ = try program.write("one.tsv", "text\tlabel\na cat\tx\na dog\tx\n")
        func tasks(_ more: String) throws {
            _ = try program.write("tasks.json", #"{"tasks": [{"name": "lonely", "columns": "text", "label": "label", \#(more)}]}"#)
        }
        func refused(_ arguments: [String], _ status: Int32, _ messages: String...) throws {
            let result = try program.run(["train", "classifier", "--model", model] + arguments)
            #expect(result.status == status, "\(arguments): \(result.status) \(result.errors)")
            for message in messages { #expect(result.errors.contains(message), "\(arguments): \(result.errors)") }
        }
        let asked = ["--tasks", "tasks.json", "-o", "out"]
        try tasks(#""table": "one.tsv""#)
        try refused(asked, 65, "one.tsv", "task 'lonely': the column label has only one class, 'x'")
        try refused(["t.tsv"] + asked, 64, "--tasks names its own tables; remove 't.tsv'")
        try refused(asked + ["--label", "label"], 64, "--label cannot be combined with --tasks; its file sets this for each task")
        try refused(asked + ["--folds", "3"], 64, "--folds cannot be combined with --tasks", "one task at a time")
        try refused(asked + ["--setfit"], 64, "--setfit cannot be combined with --tasks")
        try refused(["--tasks", "tasks.json"], 64, "--tasks needs -o FOLDER")
        try refused(["--tasks", "none.json", "-o", "out"], 66, "none.json")
        try refused(["--column", "text", "--label", "label", "-o", "out"], 64, "Missing expected argument '<input>'")
        try refused(["t.tsv", "--label", "label", "-o", "out"], 64, "Missing expected argument '--column <column>'")
        try tasks(#""table": "t.tsv", "weigth": 2"#)
        try refused(asked, 65, "tasks.json", "task 'lonely': 'weigth' is not known here")
        try tasks(#""table": "gone.tsv""#)
        try refused(asked, 66, "tasks.json", "task 'lonely': 'table' names", "gone.tsv")
        try tasks(#""table": "t.tsv", "development": "one.tsv""#)
        try refused(asked, 65, "task 'lonely'", "'x'", "is unknown to the classifier")
        _ = try program.write(
            "tasks.json", #"{"tasks": [{"name": "pairs", "table": "t.tsv", "columns": ["text", "label"], "label": "label"}]}"#)
        try refused(asked + ["--head", "linear"], 64, "tasks.json", "task 'pairs'", "a linear head on pairs cannot be saved")
        #expect(!FileManager.default.fileExists(atPath: program.path("out")))
    }

    @Test func autoencodersWriteCodes() throws {
        _ = try run("embed", "t.tsv", "-o", "v.h5", "--model", model, "--column", "text", "--quiet")
        let plain = try run(
            "autoencoder", "v.h5", "-o", "codes.h5", "--code", "2", "--hidden", "6", "--iterations", "60", "--figure", "map.svg")
        #expect(plain.errors.contains("96 rows × 2") && plain.errors.contains("by 2 principal components"), "\(plain.errors)")
        let codes = try VectorFile(path: program.path("codes.h5"))
        #expect(codes.dimension == 2 && codes.count == 96)
        #expect(try run("methods", "codes.h5").output.contains("Hinton & Salakhutdinov, 2006"))
        let linear = try JSON(parsing: run("autoencoder", "v.h5", "-o", "linear.h5", "--code", "3", "--tied", "--json").output)
        let own = linear["error"]?["share"]?.double ?? 1, principal = linear["error_pca"]?["share"]?.double ?? 0
        #expect(abs(own - principal) < 1e-4, "\(own) \(principal)")
        _ = try run(
            "autoencoder", "v.h5", "-o", "sparse.h5", "--code", "16", "--active", "2", "--iterations", "20", "--features", "f.tsv", "--top",
            "3", "--quiet")
        let rows = try text("f.tsv").split(separator: "\n")
        #expect(rows[0].hasPrefix("unit\tshare_active\tplace\tactivation\trow\t") && rows.count > 5, "\(rows.prefix(2))")
        for arguments in [
            ["-o", "x.tsv"], ["-o", "x.h5", "--code", "2", "--active", "3"], ["-o", "x.h5", "--code", "1", "--figure", "x.svg"],
            ["-o", "x.h5", "--denoise", "1"],
        ] {
            #expect(try program.run(["autoencoder", "v.h5"] + arguments).status == 64, "\(arguments)")
        }
        #expect(try program.run("autoencoder", "v.h5", "-o", "codes.h5", "--quiet").status == 73)
    }
}
