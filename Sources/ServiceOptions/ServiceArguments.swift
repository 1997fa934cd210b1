import ArgumentParser
import FileFormats
import Tensors

/// What `serve` can be asked.
public struct ServeArguments: ParsableArguments {
    /// One line for the help.
    public static let abstract = "Serve sentence vectors, reranker scores and vector search over HTTP."
    /// The discussion below the help's first line.
    public static let discussion = """
        kotonoha serve --model all-MiniLM-L6-v2
        curl -s localhost:8080/v1/embeddings -H 'Content-Type: application/json' -d '{"input": "two dogs play in snow"}'

        A sentence gets the same vector, bit for bit, as from kotonoha embed, however
        many clients ask at once. /docs lists the paths. After SIGTERM the server
        answers the requests it has accepted, then exits.
        """

    /// Sentence encoders or rerankers: folders or names.
    @Option(
        help: ArgumentHelp("A sentence encoder or reranker: a folder or a name; may be given several times.", valueName: "dir|name"))
    public var model: [String] = []

    /// Vector files to search.
    @Option(help: ArgumentHelp("A vector file to search; may be given several times.", valueName: "file"))
    public var vectors: [String] = []

    /// Precision of matrix products; f32 if nil.
    @Option(help: "Precision of matrix products: f32 (default), bf16 or int8.")
    public var precision: Precision?

    /// Maximum sentence length in tokens; the model's limit if nil.
    @Option(help: "Maximum sentence length in tokens; by default the model's limit.")
    public var maxLength: Int?

    /// Text to put before every sentence.
    @Option(help: "Text to put before every sentence.")
    public var prompt: String?

    /// Rejects texts that are too long instead of truncating them.
    @Flag(help: "Reject texts that are too long with status 400 instead of truncating them.")
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
    public static let abstract = "Explore a map of sentences in the browser: up to millions of points, with search by word or meaning."
    /// The discussion below the help's first line.
    public static let discussion = """
        kotonoha tsne vectors.h5 -o map.h5
        kotonoha explore map.h5 --vectors vectors.h5

        Prints an address to open in a browser. Colour the points by any column; draw
        around some of them to save them as a table, which kotonoha vectors label turns
        into a column.
        """

    /// A map, or a vector file whose first two principal components are drawn.
    @Argument(
        help: ArgumentHelp(
            "A map (map.h5), or a vector file whose first two principal components are drawn.", valueName: "map.h5|vectors.h5"))
    public var input: String

    /// The map's vector file; looked for next to the map if nil.
    @Option(help: ArgumentHelp("The map's vector file; by default it is looked for next to the map.", valueName: "file"))
    public var vectors: String?

    /// A second map of the same vector file, shown beside the first.
    @Option(help: ArgumentHelp("A second map of the same vector file, shown next to the first.", valueName: "map2.h5"))
    public var second: String?

    /// The model that embeds queries; the one that made the vector file if nil.
    @Option(help: ArgumentHelp("The model that embeds queries; by default the one that made the vector file.", valueName: "dir|name"))
    public var model: String?

    /// Title of the page.
    @Option(help: "Title of the page.")
    public var title: String?

    /// The defaults.
    public init() {}
}
