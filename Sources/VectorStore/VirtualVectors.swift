import CHDF5
import FileFormats
import Glibc

extension VectorFile {
    /// Writes an HDF5 file whose datasets show the rows of a set's files as one array each (virtual datasets, HDF5 1.10), for h5py and
    /// other programs.
    ///
    /// It holds no data: the files of the set are found next to it by relative paths, and HDF5 reads rows of files that are missing as
    /// zeros, without an error. This program does not read such files; it opens the set itself and reports what is missing.
    /// - Throws: `DataError` if this is not a set, or the file is not on a path from which the set can be named.
    package func writeVirtual(to output: String) throws {
        guard let set else { throw DataError(.usage, "virtual datasets show the files of a set, and this is a single file", file: path) }
        let names: [(name: String, strings: Bool)] =
            [("/embeddings", false), ("/valid", false), ("/texts", true)]
            + (storage == .int8 ? [("/scale", false)] : []) + (layout.hasGroups ? [("/groups", true)] : [])
            + (layout.hasIDs ? [("/ids", true)] : [])
            + layout.columnNames.map { ("/columns/" + Self.escaped($0), true) }
        let prefix = try Self.relativePath(of: set.path, from: SystemError.folder(of: output))
        let replacement = try FileReplacement(path: output), failures = HDF5.closeFailures
        do {
            let container = try HDF5Container(creating: replacement.temporary, for: output, allowsVirtual: true)
            try container.set("format", .string("kotonoha/virtual"))
            try container.set("storage", .string(storage.rawValue))
            try container.set("dimension", .int(dimension))
            try container.set("note", .string("views of the files of a set; HDF5 reads the rows of a missing file as zeros"))
            try container.set("set_sha256", .string(try SHA256.hex(ofFile: path)))
            for (name, isText) in names {
                let sources = set.index.shards.map { (file: prefix + $0.file, rows: $0.rows) }
                let width = name == "/embeddings" ? storage.rowSize(dimension: dimension) : nil
                let type =
                    isText
                    ? try HDF5Container.stringType(output)
                    : name == "/scale"
                        ? try VectorStorage.float32.fileType(output)
                        : name == "/valid" ? try VectorStorage.binary.fileType(output) : try storage.fileType(output)
                try container.makeVirtual(name, type: type.id, width: width, sources: sources)
            }
            try container.flush()
        }
        try HDF5Container.requireClosed(since: failures, output)
        try replacement.commit()
    }

    /// The way from a folder to another, with a slash at the end.
    private static func relativePath(of target: String, from folder: String) throws -> String {
        func parts(_ path: String) throws -> [Substring] {
            guard let resolved = realpath(path, nil) else { throw SystemError.cannotRead(path) }
            defer { free(resolved) }
            return String(cString: resolved).split(separator: "/")
        }
        let to = try parts(target), from = try parts(folder), common = zip(to, from).prefix { $0 == $1 }.count
        let way = repeatElement("..", count: from.count - common) + to[common...].map(String.init)
        return way.isEmpty ? "" : way.joined(separator: "/") + "/"
    }
}

extension HDF5Container {
    /// Makes a dataset from the concatenated datasets of the same name in other files.
    fileprivate func makeVirtual(_ name: String, type: hid_t, width: Int?, sources: [(file: String, rows: Int)]) throws {
        try HDF5.locked {
            func failure() -> DataError { Self.writing(path) }
            func space(_ rows: Int) throws -> HDF5Handle {
                var lengths = [hsize_t(rows)] + (width.map { [hsize_t($0)] } ?? [])
                return try HDF5Handle(H5Screate_simple(Int32(lengths.count), &lengths, nil), failure())
            }
            let creation = try HDF5Handle(H5Pcreate(kh5_dataset_create()), failure()),
                links = try HDF5Handle(H5Pcreate(kh5_link_create()), failure())
            H5Pset_create_intermediate_group(links.id, 1)
            H5Pset_char_encoding(links.id, H5T_CSET_UTF8)
            H5Pset_obj_track_times(creation.id, false)
            let whole = try space(sources.reduce(0) { $0 + $1.rows })
            var first = 0
            for source in sources {
                var start = [hsize_t(first)] + (width.map { _ in [0] } ?? []),
                    count = [hsize_t(source.rows)] + (width.map { [hsize_t($0)] } ?? [])
                let own = try space(source.rows)
                guard H5Sselect_hyperslab(whole.id, H5S_SELECT_SET, &start, nil, &count, nil) >= 0,
                    H5Pset_virtual(creation.id, whole.id, source.file, name, own.id) >= 0
                else { throw failure() }
                first += source.rows
            }
            _ = try HDF5Handle(H5Dcreate2(handle.id, name, type, whole.id, links.id, creation.id, hid_t(H5P_DEFAULT)), failure())
        }
    }
}
