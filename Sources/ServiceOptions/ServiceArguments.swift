import ArgumentParser
import FileFormats
import Tensors

/// What `serve` can be asked.
public struct ServeArguments: ParsableArguments {
    /// One line for the help.
    public static let abstract = "Vectors of sentences, scores of rerankers and search in vector files over HTTP."
    /// The discussion below the help's first line.
    public static let discussion = """
        kotonoha serve --model all-MiniLM-L6-v2
        curl -s localhost:8080/v1/embeddings -H 'Content-Type: application/json' -d '{"input": "two dogs play in snow"}'

        A sentence has the same vector, to the last bit, as kotonoha embed gives it, however many clients ask at once. /docs lists the
        paths. SIGTERM ends the server when the accepted requests are answered.
        """

    /// Models of sentence vectors or rerankers: folders or names.
    @Option(
        help: ArgumentHelp(
            "A model of sentence vectors or a reranker: a folder, or a name to look for; can be given several times.", valueName: "dir|name"
        ))
    public var model: [String] = []

    /// Vector files to search.
    @Option(help: ArgumentHelp("A vector file to search; can be given several times.", valueName: "file"))
    public var vectors: [String] = []

    /// What matrix products compute in; f32 if nil.
    @Option(help: "What matrix products compute in: f32 (if not given), bf16 or int8.")
    public var precision: Precision?

    /// Longest sentence in tokens; the model's own limit if nil.
    @Option(help: "Longest sentence in tokens; the model's own limit if not given.")
    public var maxLength: Int?

    /// Text put before every sentence.
    @Option(help: "Text put before every sentence.")
    public var prompt: String?

    /// Refuses texts that are too long instead of cutting them.
    @Flag(help: "Refuse too long texts with status 400 instead of cutting them.")
    public var refuseLong = false

    /// - Throws: `ValidationError` that names the option and its range.
    public func validate() throws {
        if let maxLength, !Bounds.tokens.contains(maxLength) { throw ValidationError("--max-length is \(Bounds.tokens.expectation)") }
    }

    /// The defaults.
    public init() {}
}

/// What `explore` can be asked.
public struct ExploreArguments: ParsableArguments {
    /// One line for the help.
    public static let abstract = "A map of sentences in the browser: up to millions of points, search by words and by meaning."
    /// The discussion below the help's first line.
    public static let discussion = """
        kotonoha tsne vectors.h5 -o map.h5
        kotonoha explore map.h5 --vectors vectors.h5

        Prints an address to open in a browser. Points have the colours of any column; draw around some, and save them as a table that
        kotonoha vectors label turns into a column.
        """

    /// A map, or a vector file whose first two principal components are drawn.
    @Argument(
        help: ArgumentHelp(
            "A map (map.h5); or a vector file, whose first two principal components are drawn.", valueName: "map.h5|vectors.h5"))
    public var input: String

    /// The vector file of the map; looked for beside the map if nil.
    @Option(help: ArgumentHelp("The vector file of the map; looked for beside the map if not given.", valueName: "file"))
    public var vectors: String?

    /// A second map of the same vector file, shown beside the first.
    @Option(help: ArgumentHelp("A second map of the same vector file, shown beside the first.", valueName: "map2.h5"))
    public var second: String?

    /// The model that embeds queries; the one that the vector file names if nil.
    @Option(help: ArgumentHelp("The model that embeds queries; the one that the vector file names if not given.", valueName: "dir|name"))
    public var model: String?

    /// Title of the page.
    @Option(help: "Title of the page.")
    public var title: String?

    /// The defaults.
    public init() {}
}
