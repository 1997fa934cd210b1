import ArgumentParser
import FileFormats
import Reporting

struct MethodsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "methods", abstract: "Write the Methods paragraph and BibTeX for a result, from its provenance record.",
        discussion: """
            kotonoha methods map.csv --language ja

            FILE is a vectors.h5, pca.h5, map.h5 or clustered file, word vectors of a
            treebank, a probe, or a table or picture with its NAME.provenance.json next to
            it.
            """)

    @Argument(help: "The result.")
    var file: String

    @Option(help: "en or ja.")
    var language: MethodsText.Language = SessionLanguage.files == .japanese ? .ja : .en

    @Flag(help: "Write the sentences for a Results section instead: contrasts, RSA, MDS, encoding models, classifiers, naming simulations.")
    var results = false

    @Flag(help: "Leave out BibTeX.")
    var withoutBibtex = false

    func run() throws {
        if results { return try Console.print(ResultsText(MethodsFacts(path: file), language: language).paragraph) }
        let text = try MethodsText(try MethodsFacts(path: file), language: language)
        try Console.print(text.paragraph)
        guard !withoutBibtex else { return }
        for entry in text.cited.map(\.bibTeX) + [Bibliography.program(KotonohaProgram.version)] { try Console.print("\n" + entry) }
    }
}

extension MethodsText.Language: ExpressibleByArgument {}
