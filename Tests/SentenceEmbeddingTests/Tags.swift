import Testing

extension Tag {
    /// Bits that depend on neither batch nor threads: tools/test repeats these on the paths that oneDNN takes without AVX-512.
    @Tag static var sameBits: Self
}
