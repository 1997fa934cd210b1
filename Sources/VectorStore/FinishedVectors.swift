import FileFormats
import Glibc

extension VectorFile {
    /// What a finished file of vectors is called, nil for any other file: such a file took hours to make, and is not replaced unasked.
    package static func finishedKind(at path: String) -> String? {
        var information = stat()
        // A pipe would be waited for.
        guard stat(path, &information) == 0, information.st_mode & S_IFMT == S_IFREG, let stream = try? ByteStream(path: path) else {
            return nil
        }
        var isHDF5 = false
        _ = try? stream.next { isHDF5 = $0.count >= 8 && $0[..<8].elementsEqual([0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]) }
        guard isHDF5, let container = try? HDF5Container(path: path) else { return nil }
        return switch (try? container.attribute("format"))??.string {
        case format: "a finished vector file"
        case LayerFile.format: "a finished file of word vectors"
        default: nil
        }
    }
}
