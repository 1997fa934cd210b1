import Tensors

extension SentenceEncoder {
    /// Precision, length, prompts and threads of an encoder.
    public struct Options: Sendable, Equatable {
        /// What matrix products compute in.
        public var precision = Precision.f32
        /// The longest sequence in tokens, special tokens included; nil for the model's own limit. Longer texts are cut and counted.
        public var maxLength: Int?
        /// Scale the vectors to length 1, whether or not the model does so itself.
        public var normalizes = false
        /// Keep only the first components (Matryoshka models); nil for all.
        public var truncatedDimension: Int?
        /// Put before every sentence. nil for the model's default prompt, if it has one.
        public var prompt: String?
        /// Use the model's prompt of this name.
        public var promptName: String?
        /// Tokens processed together by one thread. Larger batches are neither more exact nor faster.
        package var batchTokens = 1024
        /// Worker threads, one per core.
        public var threads = Parallel.availableThreads
        /// A MeCab dictionary for models whose tokenizer wants one.
        package var dictionary: String?

        /// The model's own settings in float32.
        public init() {}
    }

    /// What one call met on its way.
    public struct Counts: Sendable, Equatable {
        /// Sentences embedded.
        package var sentences = 0
        /// Tokens computed, special ones included.
        public var tokens = 0
        /// Tokens that the vocabulary did not have.
        package var unknownTokens = 0
        /// Sentences that were cut at the maximum length.
        public var truncated = 0

        /// Nothing yet.
        package init() {}

        /// Adds the counts of another call.
        package static func += (a: inout Counts, b: Counts) {
            a.sentences += b.sentences
            a.tokens += b.tokens
            a.unknownTokens += b.unknownTokens
            a.truncated += b.truncated
        }
        /// In 0 ... 1.
        package var unknownShare: Double { tokens == 0 ? 0 : Double(unknownTokens) / Double(tokens) }
    }
}
