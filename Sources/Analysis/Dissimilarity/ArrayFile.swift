import FileFormats
import Foundation
import VectorStore

/// Numeric arrays from `.npy`, HDF5 and MATLAB's `.mat`. `FILE:NAME` takes one array of a file that holds several.
package enum ArrayFile {
    package static let endings = ["npy", "h5", "hdf5", "mat"]

    /// The file of an argument and the name of an array in it.
    package static func split(_ argument: String) -> (path: String, name: String?) {
        guard !FileManager.default.fileExists(atPath: argument), let colon = argument.lastIndex(of: ":") else { return (argument, nil) }
        return (String(argument[..<colon]), String(argument[argument.index(after: colon)...]))
    }

    /// The array of an argument, axes in the order in which NumPy or MATLAB shows them.
    ///
    /// - Throws: `DataError` if the file is damaged, holds several arrays and none is named, or holds no numbers.
    package static func read(_ argument: String) throws -> NumericArray {
        let (path, name) = split(argument)
        switch URL(fileURLWithPath: path).pathExtension.lowercased() {
        case "npy":
            let file = try NPYFile(path: path)
            return NumericArray(shape: file.shape, values: try file.doubles())
        case "mat" where try MATFile.isVersion5(path: path): return try MATFile(path: path).array(name)
        case "mat": return try container(path, name, isMATLAB: true)
        case "h5", "hdf5": return try container(path, name, isMATLAB: false)
        case let other: throw DataError(.usage, "an array is read from .npy, .h5 or .mat, not .\(other)", file: path)
        }
    }

    private static func container(_ path: String, _ name: String?, isMATLAB: Bool) throws -> NumericArray {
        let file = try HDF5Container(path: path)
        // '#refs#' and the like are MATLAB's own.
        let names = try file.datasetNames().filter { !$0.hasPrefix("#") }
        guard let chosen = name ?? (names.count == 1 ? names[0] : nil) else {
            throw DataError(
                .usage,
                "it contains \(names.count) arrays (\(names.prefix(20).joined(separator: ", "))); select one with "
                    + "FILE:NAME", file: path)
        }
        guard let dataset = try file.dataset(chosen) else {
            throw DataError(
                .usage,
                "it has no array called '\(chosen)'; its arrays are: "
                    + "\(names.prefix(20).joined(separator: ", "))", file: path)
        }
        try MemoryBudget.require(dataset.shape.reduce(16, *), for: "the array", file: path)
        let values = try dataset.read(Double.self)
        // MATLAB's first axis runs fastest, so HDF5 sees the axes in the opposite order.
        return isMATLAB
            ? NumericArray(shape: dataset.shape.reversed(), columnMajor: values) : NumericArray(shape: dataset.shape, values: values)
    }
}
