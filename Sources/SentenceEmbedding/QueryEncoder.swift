import FileFormats
import ModelFolders
import Tensors
import VectorStore

extension SentenceEncoder {
    /// How queries should differ from the vectors they are compared with.
    public struct Overrides: Sendable, Equatable {
        /// A folder, or a name to look for; nil for the name that the file gives.
        public var model: String?
        public var precision: Precision?
        public var maxLength: Int?
        public var prompt: String?
        package var promptName: String?
        public var truncatedDimension: Int?
        public var normalizes = false
        public var batchTokens = 1024
        public var threads = Parallel.availableThreads
        public var dictionary: String?

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
