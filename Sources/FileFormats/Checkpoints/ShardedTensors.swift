/// Weights spread over several files by an index (`model.safetensors.index.json`, `pytorch_model.bin.index.json`): a `weight_map` from each
/// tensor's name to the file next to the index that holds it, safetensors or a checkpoint of PyTorch.
package struct ShardedTensors: TensorSource {
    /// The index file.
    package let path: String
    private let shards: [any TensorSource]
    private let places: [String: Int]

    package var isMapped: Bool { shards.allSatisfy(\.isMapped) }
    package var names: [String] { places.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

    /// Opens the index and every file that it names.
    /// - Throws: `DataError` if one is missing or damaged, names a path instead of a file next to the index, or lacks a tensor that the
    ///   index promises.
    package init(index path: String) throws {
        self.path = path
        guard let map = try JSON(contentsOf: path)["weight_map"]?.object else {
            throw DataError(.badData, "the index has no weight_map", file: path)
        }
        let fileNames = try Set(
            map.map { member in
                guard let name = member.value.string, !name.isEmpty, !name.utf8.contains(UInt8(ascii: "/")), name != "..", name != "."
                else {
                    throw DataError(.badData, "weight_map: the value of \(member.key) is not a file name", file: path)
                }
                return name
            }
        ).sorted()
        let folder = SystemError.folder(of: path)
        shards = try fileNames.map { name in
            let shard = folder + "/" + name
            return name.hasSuffix(".bin") ? try TorchCheckpoint(path: shard) : try SafetensorsFile(path: shard)
        }
        let numbers = Dictionary(uniqueKeysWithValues: fileNames.enumerated().map { ($1, $0) })
        var places: [String: Int] = [:]
        for (name, value) in map {
            guard let fileName = value.string, let number = numbers[fileName] else { continue }
            guard shards[number][name] != nil else {
                throw DataError(.badData, "the index places tensor \(name) in \(fileName), which does not have it", file: path)
            }
            places[name] = number
        }
        self.places = places
    }

    package subscript(name: String) -> SafetensorsEntry? { places[name].flatMap { shards[$0][name] } }

    package func withBytes<Result>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        guard let place = places[name] else { throw DataError(.badData, "no tensor \(name)", file: path) }
        return try shards[place].withBytes(of: name, body)
    }
}
