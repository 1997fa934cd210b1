import FileFormats
import Foundation
import TestSupport
import Testing

/// What the program says in Japanese, and when.
@Suite struct JapaneseTests {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    // MARK: The table

    /// Pairs of English and Japanese of a file in `Sources/kotonoha/Japanese`, as written there; those from `start` to `end`, if given.
    private func pairs(_ file: String, from start: String = "", to end: String = "") throws -> [(key: String, value: String)] {
        var text = try String(contentsOf: Self.root.appendingPathComponent("Sources/kotonoha/Japanese/\(file).swift"), encoding: .utf8)
        if !start.isEmpty, let range = text.range(of: "static let \(start):") { text = String(text[range.upperBound...]) }
        if !end.isEmpty, let range = text.range(of: "static let \(end):") { text = String(text[..<range.lowerBound]) }
        func plain(_ text: Substring) -> String { text.replacingOccurrences(of: "\\\"", with: "\"") }
        let short = try Regex(#"(?m)^        "((?:[^"\\]|\\.)*)": "((?:[^"\\]|\\.)*)",$"#, as: (Substring, Substring, Substring).self)
        let long = try Regex(
            #"(?m)^        """\n([\s\S]*?)\n        """: """\n([\s\S]*?)\n        """,$"#, as: (Substring, Substring, Substring).self)
        func unindented(_ text: Substring) -> String {
            text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.dropFirst(8) }.joined(separator: "\n")
        }
        return text.matches(of: short).map { (plain($0.output.1), plain($0.output.2)) }
            + text.matches(of: long).map { (unindented($0.output.1), unindented($0.output.2)) }
    }

    /// Pairs of every file in a folder of `Sources/kotonoha/Japanese`.
    private func pairs(in folder: String) throws -> [(key: String, value: String)] {
        let files = try FileManager.default.contentsOfDirectory(
            atPath: Self.root.appendingPathComponent("Sources/kotonoha/Japanese/\(folder)").path)
        return try files.filter { $0.hasSuffix(".swift") }.sorted().flatMap { try pairs("\(folder)/\($0.dropLast(6))") }
    }

    private func help() throws -> [(key: String, value: String)] { try pairs(in: "Help") }
    private func messages() throws -> [(key: String, value: String)] { try pairs(in: "Messages") }

    @Test func noKeyIsThereTwiceAndEveryPlaceIsInTheKey() throws {
        #expect(try help().count > 600 && messages().count > 500)
        let place = try Regex(#"\{[0-9]\}"#)
        // Counters ("communities") have a place for their number in Japanese alone.
        let counters = Set(try pairs("Japanese", from: "counts").map(\.key))
        for table in [try help(), try messages(), try pairs("ParserMessages"), try pairs("Japanese")] {
            // Headings, remarks and phrases are tables of their own in one file.
            if table.count > 200 { for (key, all) in Dictionary(grouping: table, by: \.key) { #expect(all.count == 1, "\(key)") } }
            for (key, value) in table {
                #expect(!value.isEmpty && value != key)
                var there = Set(key.matches(of: place).map { String($0.output[0].substring ?? "") })
                if counters.contains(key) { there.insert("{0}") }
                for match in value.matches(of: place) {
                    #expect(there.contains(String(match.output[0].substring ?? "")), "\(key): \(value)")
                }
            }
        }
    }

    // MARK: Help

    /// The commands with a help snapshot, by their names without the program's: "" is the program itself.
    private static func commands() throws -> Set<String> {
        let folder = root.appendingPathComponent("Tests/ProgramTests/Help")
        let groups = ["vectors", "model", "train", "evaluate", "probe", "simulate", "draw", "shard"]
        return Set(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".txt") }.map { file in
                let name = String(file.dropLast(4).dropFirst("kotonoha".count).drop { $0 == "-" })
                // Only the first hyphen stands for a space, and only after the name of a group of commands.
                guard let hyphen = name.firstIndex(of: "-"), groups.contains(String(name[..<hyphen])) else { return name }
                return name.replacingCharacters(in: hyphen...hyphen, with: " ")
            })
    }

    /// Texts of a command in the tree that the parser prints of itself; bounds and defaults in parentheses belong to the option, not to its text.
    private func texts(_ command: JSON, known: [String: String]) -> [String] {
        var found = [command["abstract"]?.string, command["discussion"]?.string].compactMap(\.self)
        for argument in command["arguments"]?.array ?? [] where argument["shouldDisplay"]?.bool != false {
            guard var text = argument["abstract"]?.string else { continue }
            if known[text] == nil, text.hasSuffix(")"), let start = text.range(of: " (", options: .backwards) {
                text = String(text[..<start.lowerBound])
            }
            found.append(text)
        }
        return found
    }

    @Test func everyCommandHasJapaneseHelpAndNoTextIsLeftOver() throws {
        let program = try Program(), japanese = ["KOTONOHA_LANGUAGE": "ja"]
        let table = Dictionary(try help().map { ($0.key, $0.value) }) { first, _ in first }
        let heading = try Regex(#"(?m)^[A-Z][A-Z ,-]+:"#)
        var used: Set<String> = [], visited: Set<String> = []
        func visible(_ text: String) -> String { text.filter { !$0.isWhitespace } }
        func visit(_ command: JSON, _ path: [String]) throws {
            guard command["shouldDisplay"]?.bool != false else { return }
            let name = path.joined(separator: " "), wanted = texts(command, known: table)
            for text in wanted where table[text] == nil { Issue.record("\(name): no Japanese for \(text)") }
            used.formUnion(wanted)
            visited.insert(name)
            let shown = try program.run(path + ["--help"], environment: japanese)
            #expect(shown.status == 0 && shown.errors.isEmpty)
            let output = visible(shown.output)
            for text in wanted { #expect(output.contains(visible(table[text] ?? text)), "\(name): \(text)") }
            for match in shown.output.matches(of: heading) { Issue.record("\(name): \(shown.output[match.range]) is in English") }
            for remark in ["default:", "values:"] { #expect(!shown.output.contains(remark), "\(name): \(remark)") }
            for next in command["subcommands"]?.array ?? [] where next["commandName"]?.string != "help" {
                try visit(next, path + [next["commandName"]?.string ?? "?"])
            }
        }
        let dump = try program.run("--experimental-dump-help")
        try visit(try #require(JSON(parsing: dump.output, file: "--experimental-dump-help")["command"]), [])
        #expect(try visited == Self.commands())
        let left = Set(table.keys).subtracting(used)
        #expect(left.isEmpty, "no help has these texts: \(left.sorted())")
    }

    @Test func linesOfJapaneseHelpFitTheScreen() throws {
        let help = try Program().run("embed", "--help", environment: ["KOTONOHA_LANGUAGE": "ja", "COLUMNS": "80"]).output
        for line in help.split(separator: "\n") where !line.hasPrefix("使い方") && line.contains("。") {
            let width = line.unicodeScalars.reduce(0) { $0 + ($1.value > 0x2E7F ? 2 : 1) }
            // Punctuation may hang.
            #expect(width <= 82, "\(width): \(line)")
            #expect(!"、。)」".contains(line.drop { $0 == " " }.first ?? " "), "\(line)")
        }
    }

    // MARK: Messages

    /// The own words of a key, between its places and options, are in the sources: a message that changes takes its Japanese along.
    @Test func everyMessageIsSaidSomewhere() throws {
        var sources: [CChar] = []
        let files = try #require(
            FileManager.default.enumerator(at: Self.root.appendingPathComponent("Sources"), includingPropertiesForKeys: nil))
        for case let file as URL in files where file.pathExtension == "swift" && !file.path.contains("/kotonoha/Japanese/") {
            sources += try String(contentsOf: file, encoding: .utf8).replacingOccurrences(
                of: #""\s*\+\s*""#, with: "", options: .regularExpression
            )
            .replacingOccurrences(of: "\\\"", with: "\"").utf8.map(CChar.init(bitPattern:))
        }
        sources.append(0)
        func isThere(_ words: ArraySlice<Substring>) -> Bool {
            sources.withUnsafeBufferPointer { strstr($0.baseAddress!, words.joined(separator: " ")) != nil }
        }
        let own = try Regex(#"\{[0-9]\}|--[a-z][a-z-]*|[,;:] "#)
        for (key, _) in try messages() {
            for part in key.split(separator: own) {
                // A part may be put together at run time: "was" or "were".
                var rest = part.split(separator: " ")[...], pieces = 0
                while !rest.isEmpty {
                    guard let count = (1...rest.count).last(where: { isThere(rest.prefix($0)) }) else { break }
                    rest = rest.dropFirst(count)
                    pieces += 1
                }
                #expect(rest.isEmpty && pieces <= 3, "\(part) in \(key)")
            }
        }
    }

    @Test func embedAndRankSpeakJapanese() throws {
        let program = try Program(), model = try TinyModel().folder.path, japanese = ["KOTONOHA_LANGUAGE": "ja"]
        func run(_ arguments: String...) throws -> Program.Result { try program.run(arguments, environment: japanese) }
        let input = try program.write("t.csv", "scene,text\nbeach,two dogs\nkitchen,\nbeach,a cat\n")
        let made = try run("embed", input, "-o", "v.h5", "--model", model, "--column", "text")
        #expect(made.status == 0 && made.output.isEmpty)
        #expect(made.errors.contains("v.h5: 3 行 × 24 次元、未知トークン") && made.errors.contains("空の行 1 行"), "\(made.errors)")
        let again = try run("embed", input, "-o", "v.h5", "--model", model, "--column", "text")
        #expect(again.status != 0 && again.errors.contains("--force"), "\(again.errors)")
        let column = try run("embed", input, "-o", "w.h5", "--model", model, "--column", "texts")
        #expect(column.status == 64 && column.errors.contains("列 texts はありません。列は次のとおりです: "), "\(column.errors)")
        let file = try run("embed", "no.csv", "-o", "w.h5", "--model", model)
        #expect(file.status == 66 && file.errors == "kotonoha: no.csv: ファイルがありません\n", "\(file.errors)")
        let unknown = try run("embed", input, "-o", "w.h5", "--model", "no-such-model", "--column", "text")
        #expect(unknown.status == 66 && unknown.errors.contains("この名前のモデルがありません"), "\(unknown.errors)")
        let option = try run("embed", input, "-o", "w.h5", "--colum", "text")
        #expect(
            option.status == 64 && option.errors.hasPrefix("エラー: 未知のオプション '--colum'。'--column' の間違いではありませんか。\n使い方: "), "\(option.errors)")
        let bound = try run("rank", "v.h5", "a cat", "--top", "0")
        #expect(
            bound.status == 64 && bound.errors.contains("1 から 1,000,000,000 までの整数")
                && bound.errors.contains("説明:  --top <top>  クエリごとの結果の数。"), "\(bound.errors)")
        let name = try run("embed", input, "-o", "v.txt")
        #expect(name.status == 64 && name.errors.contains("ベクトルは .h5 のファイルに書きます"), "\(name.errors)")
        let command = try run("embd")
        #expect(command.status == 64 && command.errors.contains("'embed' の間違いではありませんか"), "\(command.errors)")

        // Data are the same in both languages.
        for arguments in [
            ["rank", "v.h5", "a cat", "--model", model, "--json"], ["rank", "v.h5", "a cat", "--model", model], ["info", "v.h5"],
        ] {
            let english = try program.run(arguments), other = try program.run(arguments, environment: japanese)
            #expect(english.status == 0 && english.output == other.output && !english.output.isEmpty)
        }
        #expect(try run("rank", "v.h5", "--query-vectors", "v.h5").errors.contains("クエリ 3 件をベクトル 3 個と照合: "))
    }

    /// A mistake of each group of commands, before any file is read.
    @Test(arguments: [
        ("vectors project v.h5 -o w.h5", "--onto か --axis のどちらか一方を指定してください"),
        ("mds m.rdm.h5 -o m.csv --dimensions 0", "--dimensions は 1 以上、--starts は 0 以上にしてください"),
        ("rsa m.rdm.h5 --data s.rdm.h5 --fdr 2", "--fdr は 0 から 1 までの間です(2.0 ではなく)"),
        ("generate m t.txt --beam 2 --sample", "--beam と --sample は同時に指定できません"),
        ("attention m a --head 1 --figure f.svg", "--head には --layer が必要です"),
        ("train vocabulary t.txt -o t.h5", "トークナイザーは .json のファイルに書きます('t.h5' ではなく)"),
        ("evaluate reading w.csv --time t --word a --length b", "--word と --length は同時に指定できません"),
        ("simulate naming --trials 5", "--trials は 100 から 10000000 まで、--surface-trials は 100 から 1000000 までです"),
        ("shard plan t.txt -o s", "セットの名前は .kset で終わるものにしてください('s' ではなく)"),
    ])
    func everyGroupOfCommandsSpeaksJapanese(command: String, message: String) throws {
        let run = try Program().run(command.components(separatedBy: " "), environment: ["KOTONOHA_LANGUAGE": "ja"])
        #expect(run.status == 64 && run.errors.hasPrefix("エラー: " + message), "\(run.errors)")
    }

    // MARK: Which language

    @Test func theVariableThenTheLocaleDecide() throws {
        let program = try Program()
        func overview(_ environment: [String: String]) throws -> String {
            let none = ["KOTONOHA_LANGUAGE": "", "LC_ALL": "", "LC_MESSAGES": "", "LANG": ""]
            return String(try program.run(["--help"], environment: none.merging(environment) { $1 }).output.prefix { $0 != ":" })
        }
        #expect(try overview([:]) == "OVERVIEW")
        #expect(try overview(["LANG": "ja_JP.UTF-8"]) == "概要")
        #expect(try overview(["LANG": "ja_JP.UTF-8", "LC_ALL": "C"]) == "OVERVIEW")
        #expect(try overview(["LANG": "C", "LC_MESSAGES": "ja"]) == "概要")
        #expect(try overview(["LANG": "ja_JP.UTF-8", "KOTONOHA_LANGUAGE": "en"]) == "OVERVIEW")
        #expect(try overview(["KOTONOHA_LANGUAGE": "ja"]) == "概要")
        let wrong = try program.run(["--help"], environment: ["KOTONOHA_LANGUAGE": "fr"])
        #expect(wrong.status == 64 && wrong.errors == "kotonoha: KOTONOHA_LANGUAGE is 'fr'; expected en or ja\n", "\(wrong.errors)")
    }

    /// A locale changes what is said, a language asked for by name also what is drawn.
    @Test func filesFollowTheVariableOnly() throws {
        let program = try Program(), model = try TinyModel().folder.path
        let input = try program.write("t.txt", (0..<20).map { "dogs \($0) play" }.joined(separator: "\n") + "\n")
        #expect(try program.run("embed", input, "-o", "v.h5", "--model", model).status == 0)
        func caption(_ name: String, _ environment: [String: String], _ more: String...) throws -> String {
            let run = try program.run(
                [
                    "tsne", "v.h5", "-o", "\(name).csv", "--figure", "\(name).svg", "--html", "\(name).html", "--iterations", "20",
                    "--early-iterations", "10",
                ] + more,
                environment: environment)
            #expect(run.status == 0, "\(run.errors)")
            return String(decoding: try program.bytes("\(name).html"), as: UTF8.self)
        }
        let english = try caption("a", ["KOTONOHA_LANGUAGE": "", "LC_ALL": "ja_JP.UTF-8"])
        #expect(english.contains("t-SNE, perplexity") && english.contains("<html lang=\"en\">"))
        #expect(!english.contains("<meta name=\"language\""))
        let asked = try caption("b", ["KOTONOHA_LANGUAGE": "ja"])
        #expect(asked.contains("t-SNE、パープレキシティ") && asked.contains("<meta name=\"language\" content=\"ja\">"))
        #expect(asked.contains("<html lang=\"ja\">"))
        #expect(try caption("c", [:], "--language", "ja").contains("L2 正規化したベクトルのユークリッド距離"))
        #expect(try !caption("d", ["KOTONOHA_LANGUAGE": "ja"], "--no-caption").contains("パープレキシティ"))
        #expect(try caption("e", ["KOTONOHA_LANGUAGE": "ja"], "--language", "en").contains("t-SNE, perplexity"))
        #expect(try program.bytes("a.csv") == program.bytes("b.csv"))
        // A command without --language follows the variable.
        func tree(_ name: String, _ environment: [String: String]) throws -> String {
            let arguments = ["cluster", "v.h5", "-o", "\(name).csv", "--tree", "average", "--figure", "\(name).svg"]
            let run = try program.run(arguments, environment: environment)
            #expect(run.status == 0, "\(run.errors)")
            return String(decoding: try program.bytes("\(name).svg"), as: UTF8.self)
        }
        #expect(try tree("f", ["KOTONOHA_LANGUAGE": "", "LC_ALL": "ja_JP.UTF-8"]).contains("distance (average)"))
        #expect(try tree("g", ["KOTONOHA_LANGUAGE": "ja"]).contains("距離（cosine、average）"))
        let methods = ["methods", "a.csv", "--without-bibtex"]
        #expect(
            try program.run(methods, environment: ["KOTONOHA_LANGUAGE": "ja"]).output == program.run(methods + ["--language", "ja"]).output)
    }

    // MARK: The settings file

    @Test func aSettingsFileStandsForVariables() throws {
        let program = try Program()
        func run(_ settings: String?, _ environment: [String: String] = [:]) throws -> Program.Result {
            if let settings {
                try FileManager.default.createDirectory(atPath: program.path("config/kotonoha"), withIntermediateDirectories: true)
                _ = try program.write("config/kotonoha/config.json", settings)
            }
            let none = ["KOTONOHA_LANGUAGE": nil, "LC_ALL": "C", "KOTONOHA_CONFIG": nil, "XDG_CONFIG_HOME": program.path("config")]
            let process = program.process(["--help"])
            process.environment = Program.environment().merging(none.compactMapValues(\.self)) { $1 }.filter { none[$0.key] != .some(nil) }
                .merging(environment) { $1 }
            let (output, errors) = (Pipe(), Pipe())
            (process.standardOutput, process.standardError) = (output, errors)
            try process.run()
            let said = output.fileHandleForReading.readDataToEndOfFile(), told = errors.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return .init(
                status: process.terminationStatus, output: String(decoding: said, as: UTF8.self),
                errors: String(decoding: told, as: UTF8.self))
        }
        #expect(try run(nil).output.hasPrefix("OVERVIEW"))
        #expect(try run(#"{"language": "ja", "models": ["~/models", "/m"], "offline": true}"#).output.hasPrefix("概要"))
        #expect(try run(nil, ["KOTONOHA_LANGUAGE": "en"]).output.hasPrefix("OVERVIEW"), "the environment comes first")
        #expect(try run(nil, ["KOTONOHA_CONFIG": "off"]).output.hasPrefix("OVERVIEW"))
        let misspelled = try run(#"{"langage": "ja"}"#)
        #expect(
            misspelled.status == 64 && misspelled.errors.contains("config.json: unknown setting 'langage'; did you mean 'language'?"),
            "\(misspelled.errors)")
        let wrong = try run(#"{"language": "fr"}"#)
        #expect(wrong.status == 64 && wrong.errors.contains("the setting 'language' should be \"en\" or \"ja\""), "\(wrong.errors)")
        #expect(try run("[1]").status == 65)
        #expect(try run(nil, ["KOTONOHA_CONFIG": program.path("none.json")]).status == 66)
    }
}
