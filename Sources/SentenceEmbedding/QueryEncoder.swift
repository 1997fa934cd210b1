import FileFormats
import ModelFolders
import Tensors
import VectorStore

extension SentenceEncoder {
    /// How queries should differ from the vectors they are compared with.
    public struct Overrides: Sendable, Equatable {
        /// A folder, or a name to look for; nil for the name that the file gives.
        public var model: String?
        /// What matrix products compute in; nil for the precision of the file's vectors.
        package var precision: Precision?
        /// The longest query in tokens; nil for the limit of the file's vectors.
        package var maxLength: Int?
        /// Text put before every query; nil for the prompt of the file's vectors.
        package var prompt: String?
        package var promptName: String?
        /// Components to keep; nil for the dimension of the file's vectors.
        package var truncatedDimension: Int?
        /// Scale queries to length 1 even where the file's vectors are not.
        package var normalizes = false
        /// Tokens processed together by one thread.
        package var batchTokens = 1024
        /// Number of worker threads; results do not depend on it.
        package var threads = Parallel.availableThreads
        /// A MeCab dictionary for models whose tokenizer wants one.
        package var dictionary: String?

        /// Queries are embedded as the file's vectors were.
        public init() {}
    }

    /// The encoder that made a vector file, with the file's own settings, for sentences to be compared with its rows.
    ///
    /// Where the processor lacks the instructions of the file's precision, f32 is used instead; `options.precision` says so.
    /// - Throws: `DataError` if the model is not found or is another one than made the file (its hash is compared).
    public convenience init(for file: VectorFile, overriding: Overrides = Overrides()) throws {
        let metadata = file.metadata
        var options = Options()
        let made = Precision(rawValue: metadata.precision) ?? .f32
        options.precision = overriding.precision ?? (made.isFast ? made : .f32)
        options.maxLength = overriding.maxLength ?? metadata.maxLength
        (options.prompt, options.promptName) = (overriding.prompt, overriding.promptName)
        if options.prompt == nil && options.promptName == nil { options.prompt = metadata.prompt }
        options.truncatedDimension = overriding.truncatedDimension
        options.normalizes = overriding.normalizes
        (options.batchTokens, options.threads, options.dictionary) = (overriding.batchTokens, overriding.threads, overriding.dictionary)
        let directory = try ModelDirectory(folder: ModelLocation.folder(for: overriding.model ?? metadata.model))
        guard try directory.sha256() == metadata.modelSHA256 else {
            throw DataError(
                .badData,
                "the vectors were made by '\(metadata.model)', but the installed model of that name has different "
                    + "contents; "
                    + "embed the sentences again, or give the right model's folder", file: file.path)
        }
        try self.init(directory: directory, options: options, atMost: file.dimension)
    }
}
