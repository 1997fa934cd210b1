import FileFormats
import Foundation
import ModelFolders

/// Whether a folder holds a model that works here.
package enum ModelCheck {
    /// Loads everything that embedding or reranking with it would load, and forgets it.
    /// - Throws: `DataError` that names the file and what is wrong with it.
    package static func load(_ folder: URL) throws {
        let directory = try ModelDirectory(folder: folder)
        if try ModelDescription(folder: folder, name: directory.name).kind == "reranker" {
            _ = try CrossEncoder(model: folder.path)
        } else {
            _ = try SentenceEncoder(directory: directory)
        }
    }
}
