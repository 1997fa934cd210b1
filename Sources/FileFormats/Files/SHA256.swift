import CCrypto
import Glibc

/// The SHA-256 hash (FIPS 180-4) of bytes that come piece by piece.
public struct SHA256: ~Copyable {
    private let context: OpaquePointer

    /// The hash of no bytes yet.
    package init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("libcrypto offers no SHA-256")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Adds bytes to the hash.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }

    /// A text with its length before it, so that neighbours do not run into one another.
    package mutating func update(counted text: String) {
        var text = text
        withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian) { update($0) }
        text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
    }

    /// The hash of what came so far, as 64 lower-case hexadecimal digits; more may follow.
    package borrowing func hexSoFar() -> String {
        guard let copy = EVP_MD_CTX_new(), EVP_MD_CTX_copy_ex(copy, context) == 1 else { preconditionFailure("libcrypto is out of memory") }
        defer { EVP_MD_CTX_free(copy) }
        return Self.hex(
            [UInt8](unsafeUninitializedCapacity: 32) { hash, count in
                EVP_DigestFinal_ex(copy, hash.baseAddress, nil)
                count = 32
            })
    }

    /// The 32 bytes of the hash.
    package consuming func finalize() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { hash, count in
            EVP_DigestFinal_ex(context, hash.baseAddress, nil)
            count = 32
        }
    }

    /// The hash as 64 lower-case hexadecimal digits.
    package consuming func finalizeHex() -> String { Self.hex(finalize()) }

    // MARK: At once

    /// The hash of bytes, as 64 lower-case hexadecimal digits.
    package static func hex(of bytes: UnsafeRawBufferPointer) -> String {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finalizeHex()
    }
    /// The hash of a text in UTF-8, as 64 lower-case hexadecimal digits.
    public static func hex(of text: String) -> String {
        var text = text
        return text.withUTF8 { hex(of: UnsafeRawBufferPointer($0)) }
    }

    /// The hash of a file's content; for a folder that is a set of files with an index of their hashes (`set.json`), that of the index.
    /// - Throws: `DataError` of kind `noInput` if it cannot be read.
    public static func hex(ofFile path: String) throws -> String {
        var hash = SHA256()
        let index = path + "/set.json"
        let file = try ByteStream(path: access(index, F_OK) == 0 ? index : path)
        while try file.next({ hash.update($0) }) {}
        return hash.finalizeHex()
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
