/// A token as a model gives it: its id and the bytes of the word that it covers.
struct ModelToken: Equatable, Sendable {
    var id: Int32
    var start: Int32
    var end: Int32
    /// Whether the token's text is the word's own (an unknown piece of Unigram) rather than the vocabulary's.
    var isSurface: Bool

    @inline(__always)
    init(id: Int32, start: Int, end: Int, isSurface: Bool = false) {
        self.id = id
        self.start = Int32(truncatingIfNeeded: start)
        self.end = Int32(truncatingIfNeeded: end)
        self.isSurface = isSurface
    }
}
