import FileFormats
import Glibc

/// Whether a file may be handed to libhdf5.
public enum HDF5Validation {
    static func ensureReadable(_ path: String) throws { try checkSignature(path) }
    static func trust(_ path: String) {}

    /// Tells a file that is no HDF5 at all from one that is damaged.
    private static func checkSignature(_ path: String) throws {
        let file = try MappedFile(path: path)
        let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
        // It stands at the beginning, or at 512, 1024 … behind a block of the user's own.
        let isFound = file.withUnsafeBytes { bytes in
            var offset = 0
            while offset + signature.count <= bytes.count {
                if bytes[offset...].starts(with: signature) { return true }
                offset = offset == 0 ? 512 : offset * 2
            }
            return false
        }
        guard isFound else { throw DataError(.badData, "this is no HDF5 file", file: path) }
    }
}
