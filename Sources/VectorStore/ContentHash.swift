import CHDF5
import FileFormats

extension HDF5Container {
    static let contentHashName = "content_sha256"

    /// The hash that the file says its content has, nil if it says none (files of other programs, of earlier versions, of word vectors).
    package func recordedContentHash() throws -> String? { try attribute(Self.contentHashName)?.string }

    /// SHA-256 over the attributes of the root and the datasets of the root and of `/columns`, as they lie in the file: names, shapes,
    /// values. How the file is laid out (chunks, compression) does not matter.
    /// - Complexity: one pass over the file.
    package func contentHash() throws -> String {
        var hash = SHA256()
        for name in try attributeNames().sorted() where name != Self.contentHashName {
            hash.update(counted: name)
            switch try attribute(name) {
            case .string(let text): hash.update(counted: "s" + text)
            case .int(let number): hash.update(counted: "i\(number)")
            case .double(let number): hash.update(counted: "d\(number.bitPattern)")
            case nil: hash.update(counted: "-")
            }
        }
        for group in ["/", "/columns"] {
            for name in try datasetNames(in: group) {
                guard let dataset = try dataset((group == "/" ? "/" : group + "/") + name) else { continue }
                hash.update(counted: dataset.name)
                hash.update(counted: dataset.shape.map(String.init).joined(separator: " "))
                if dataset.kind == .string, dataset.shape.count <= 1 {
                    for range in Self.portions(dataset.rows, size: 4096) {
                        for text in try dataset.strings(rows: range) { hash.update(counted: text) }
                    }
                } else if dataset.kind != .other, dataset.rowSize <= 1 << 24 {
                    for range in Self.portions(dataset.rows, size: max(1, (1 << 20) / max(1, dataset.rowSize))) {
                        try dataset.withStoredBytes(rows: range) { hash.update($0) }
                    }
                }
            }
        }
        return hash.finalizeHex()
    }

    /// Writes the hash of what has been written.
    func recordContentHash() throws { try set(Self.contentHashName, .string(try contentHash())) }

    private static func portions(_ rows: Int, size: Int) -> [Range<Int>] {
        stride(from: 0, to: rows, by: size).map { $0..<min($0 + size, rows) }
    }
}
