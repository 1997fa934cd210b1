import CCrypto

/// The SHA-1 that git names a file by: of "blob LENGTH", a zero byte and the content. The hub gives it as the ETag of small files.
package enum GitBlobHash {
    /// - Throws: `DataError` if the file cannot be read.
    package static func hex(ofFile path: String, size: Int) throws -> String {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("libcrypto is out of memory") }
        defer { EVP_MD_CTX_free(context) }
        precondition(EVP_DigestInit_ex(context, EVP_sha1(), nil) == 1, "libcrypto offers no SHA-1")
        let head = Array("blob \(size)\0".utf8)
        EVP_DigestUpdate(context, head, head.count)
        let file = try ByteStream(path: path)
        while try file.next({ EVP_DigestUpdate(context, $0.baseAddress, $0.count) }) {}
        var hash = [UInt8](repeating: 0, count: 20)
        EVP_DigestFinal_ex(context, &hash, nil)
        return hash.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
