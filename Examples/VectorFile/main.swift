// Reads a file of vectors that `kotonoha embed` wrote: its rows, its columns, and how it was made.
//
//     kotonoha embed Datasets/captions.tsv -o vectors.h5 --column text --group-column scene
//     swift run -c release ExampleVectorFile vectors.h5
import Foundation
import Kotonoha

do {
    guard CommandLine.arguments.count == 2 else { throw DataError(.usage, "usage: ExampleVectorFile vectors.h5") }
    let file = try VectorFile(path: CommandLine.arguments[1])
    print("\(file.count) rows of \(file.dimension) numbers, stored as \(file.storage.rawValue)")

    // How it was made: the model and its settings, and the command line among the rest of the provenance.
    let made = file.metadata
    print("model \(made.model), pooling \(made.pooling), normalized \(made.isNormalized), precision \(made.precision), from \(made.source)")
    if !made.provenance.isEmpty {
        let provenance = try JSON(parsing: made.provenance, file: file.path)
        let command = provenance["command"]?.array?.compactMap(\.string) ?? []
        print("command: \(command.joined(separator: " "))")
    }

    // The input's columns come along under their own names.
    for column in file.layout.columns {
        let values = Factor(name: column.name, values: try file.column(column))
        print("column \(values.name): \(values.levels.count) different values, first \"\(values.levels.first ?? "")\"")
    }

    // Rows are read in ranges, so the file may be larger than memory; `vectors()` would map all of them. Empty cells are marked.
    let valid = try file.valid(), first = 0..<min(3, file.count)
    let texts = try file.texts(rows: first), vectors = try file.readEmbeddings(rows: first)
    for row in first {
        let start = vectors[row * file.dimension..<(row + 1) * file.dimension].prefix(4).map { String(format: "%.4f", $0) }
        print("row \(row): \(valid[row] ? start.joined(separator: " ") + " …" : "empty") \(texts[row])")
    }

    // A file can be searched without loading it.
    if file.count > 1, valid[0] {
        let query = try file.vectors(rows: [0])
        let found = try CosineSearch(corpus: file, valid: valid).search(query, top: 2)[0]
        for (row, cosine) in found where row != 0 {
            print("most similar to row 0: row \(row), cosine \(String(format: "%.4f", cosine)), \(try file.texts(rows: row..<row + 1)[0])")
        }
    }
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit((error as? DataError)?.kind.rawValue ?? 1)
}
