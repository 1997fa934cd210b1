import Analysis
import ArgumentParser
import FileFormats
import Foundation
import Reporting
import Tensors
import VectorStore

/// What every command has that lays the rows of a vector file out as a map of points (t-SNE, UMAP).
struct PointMapOptions: ParsableArguments {
    @Option(in: .dimension, help: "Reduce to this many principal components first.")
    var pca: Int?

    @Flag(help: "Do not scale vectors to length 1.")
    var rawLengths = false

    @Option(in: Bounds(1...2), help: "1 or 2.")
    var dimensions = 2

    @Option(help: "pca or random.")
    var initialization = "pca"

    @Option(in: .seed, help: "Seed; the map does not depend on the number of threads.")
    var seed: UInt64 = 0

    @Option(in: .threads, help: "Number of threads.")
    var threads = Parallel.availableThreads

    @Option(help: ArgumentHelp("Place the vectors on this map instead of making a new one.", valueName: "map.h5"))
    var onto: String?

    @Option(help: ArgumentHelp("The vector file of the --onto map; by default it is looked for next to the map.", valueName: "file"))
    var reference: String?

    @Flag(name: .customLong("report"), help: "Report how faithful the map is: neighbourhoods, distances, groups.")
    var measures = false

    func validate() throws {
        if onto != nil && (measures || pca != nil) { throw ValidationError("--onto cannot be combined with --report or --pca") }
        if reference != nil && onto == nil { throw ValidationError("--reference needs --onto") }
        if initialization != "pca" && initialization != "random" {
            throw ValidationError("--initialization is pca or random, not '\(initialization)'")
        }
    }

    /// The rows of a file as the map's method takes them.
    func input(_ file: VectorFile, named path: String) throws -> PointMapInput {
        let rows = try MapRows(file, name: path)
        var x = try rows.matrix()
        if let pca {
            // Components are coordinates, not directions: their lengths count from here on.
            if !rawLengths { x = normalizedRows(x, threads: threads) }
            x = try PCA(components: .count(pca), seed: seed, threads: threads).fit(x).transform(x, threads: threads)
        }
        let preprocessing =
            (rawLengths ? "Euclidean" : "Euclidean on L2-normalized vectors") + (pca.map { ", \($0) principal components" } ?? "")
        return PointMapInput(file: file, path: path, rows: rows, x: x, normalizes: pca == nil && !rawLengths, preprocessing: preprocessing)
    }

    /// How faithful a map is, in the space that its distances come from; nil where nobody asked.
    func quality(of coordinates: Tensor<Float>, _ input: PointMapInput) throws -> MapQuality? {
        guard measures else { return nil }
        return try MapQuality(
            of: coordinates, vectors: input.prepared(threads: threads), groups: input.rows.groups.map(PairFilter.classes(of:)),
            neighbors: max(1, min(15, (coordinates.rows - 1) / 2)), seed: seed, threads: threads)
    }

    /// The nearest points in the space of the vectors, not on the map, for the page; nil where there is no page or too many points for it.
    func nearest(_ input: PointMapInput, for figures: FigureOptions) throws -> [[Int]]? {
        guard figures.html != nil, input.x.rows <= 50_000 else { return nil }
        let table = try NearestNeighbors.euclidean(input.prepared(threads: threads), count: min(10, input.x.rows - 1), threads: threads)
        return (0..<table.queries).map { table[$0].map(\.row) }
    }
}

/// Rows of a vector file, reduced as the options say.
struct PointMapInput {
    let file: VectorFile
    let path: String
    var rows: MapRows
    let x: Tensor<Float>
    /// Whether distances are taken between the vectors scaled to length 1.
    let normalizes: Bool
    /// In words, for provenance and captions.
    let preprocessing: String

    /// The vectors as distances are taken between.
    func prepared(threads: Int) -> Tensor<Float> { normalizes ? normalizedRows(x, threads: threads) : x }

    /// What a map file says of where it comes from.
    func attributes(_ record: Provenance, components: Int?) -> [(String, HDF5Attribute)] {
        [
            ("source", .string(URL(fileURLWithPath: path).lastPathComponent)),
            ("source_sha256", .string(record.inputs.first?.sha256 ?? "")),
            ("model", .string(file.metadata.model)), ("model_sha256", .string(file.metadata.modelSHA256)),
            ("preprocessing", .string(preprocessing)),
            ("principal_components", .int(components ?? 0)),
        ] + record.mapAttributes
    }
}

extension Provenance {
    /// As a map file keeps it.
    var mapAttributes: [(String, HDF5Attribute)] {
        [("created_by", .string("kotonoha \(KotonohaProgram.version)")), ("provenance", .string(json().serialized()))]
    }
}
