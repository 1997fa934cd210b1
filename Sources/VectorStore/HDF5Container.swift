import CHDF5
import FileFormats
import Glibc

/// A value in an attribute.
public enum HDF5Attribute: Sendable, Equatable {
    case string(String)
    case int(Int)
    case double(Double)

    /// The text; nil for a number.
    public var string: String? { if case .string(let value) = self { value } else { nil } }
    /// The whole number; nil for anything else.
    package var int: Int? { if case .int(let value) = self { value } else { nil } }
    /// The number, whole or not; nil for a text.
    package var double: Double? {
        switch self {
        case .double(let value): value
        case .int(let value): Double(value)
        case .string: nil
        }
    }
}

/// An HDF5 file as a set of named arrays and attributes: what `pca.h5` and `map.h5` are made of, and what the larger layouts build on.
///
/// Files are written without time stamps and in a fixed order, so that equal contents give equal bytes.
public final class HDF5Container: Sendable {
    /// The file as the user named it.
    package let path: String
    let handle: HDF5Handle
    /// The file itself, for mapping what was validated; nil in the process that validates and in a file that is being written.
    private let source: Source?

    /// An open file and the parts of it that may be mapped; nil if any may.
    private final class Source: Sendable {
        let descriptor: Int32
        let mappable: Set<HDF5Stretch>?

        init?(_ descriptor: Int32, _ mappable: Set<HDF5Stretch>?) {
            self.descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
            self.mappable = mappable
            if self.descriptor < 0 { return nil }
        }

        deinit { close(descriptor) }
    }

    // MARK: Opening

    /// Opens a file for reading, after `HDF5Validation` has had its look at it. What was looked at is what is read: both go through one
    /// descriptor.
    /// - Throws: `DataError` if it is missing, no HDF5 file, or damaged.
    public convenience init(path: String) throws {
        let descriptor = try InputFile.open(path)
        defer { close(descriptor) }
        let mappable = try HDF5Validation.ensureReadable(descriptor, path)
        try self.init(trusted: descriptor, path: path, source: Source(descriptor, mappable))
    }

    /// Opens without looking first; for the child that does the looking.
    convenience init(trusted descriptor: Int32, path: String) throws { try self.init(trusted: descriptor, path: path, source: nil) }

    private init(trusted descriptor: Int32, path: String, source: Source?) throws {
        self.path = path
        self.source = source
        handle = try HDF5.locked {
            HDF5Validation.note(path)
            let access = try HDF5.access(to: descriptor, HDF5.failure("opening", file: path, .inputOutput))
            // A lock would outlive this process in any child that inherits the file, and network disks often have none to give; files
            // appear complete by rename, so there is nothing to guard.
            H5Pset_file_locking(access.id, false, true)
            // Datasets may be released after their file, which stays open as long.
            H5Pset_fclose_degree(access.id, H5F_CLOSE_WEAK)
            // The name is not looked at.
            return try HDF5Handle(
                H5Fopen(path, kh5_acc_rdonly(), access.id), HDF5.failure("it cannot be opened", file: path))
        }
    }

    /// Creates `temporary`, which errors call `path`. Virtual datasets need a layout that HDF5 1.10 and later read.
    init(creating temporary: String, for path: String, allowsVirtual: Bool = false) throws {
        self.path = path
        source = nil
        let descriptor = Glibc.open(temporary, O_RDWR | O_TRUNC | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError.cannotCreate(path) }
        defer { close(descriptor) }
        handle = try HDF5.locked {
            let access = try HDF5.access(to: descriptor, Self.writing(path))
            let creation = try HDF5Handle(H5Pcreate(kh5_file_create()), Self.writing(path))
            // The oldest layout that holds what is written: every reader of the last twenty years opens it.
            H5Pset_libver_bounds(access.id, H5F_LIBVER_EARLIEST, allowsVirtual ? H5F_LIBVER_V110 : H5F_LIBVER_V18)
            H5Pset_file_locking(access.id, false, true)
            // Arrays that are worth mapping begin where a vector register's load crosses no line of the cache.
            H5Pset_alignment(access.id, 4096, 64)
            H5Pset_obj_track_times(creation.id, false)
            return try HDF5Handle(H5Fcreate(temporary, kh5_acc_trunc(), creation.id, access.id), Self.writing(path))
        }
    }

    /// Writes a new file: it appears, complete, when `body` returns.
    /// - Throws: `DataError` if it cannot be created or the disk is full; what `body` throws. An earlier file of this name stays then.
    package static func create(path: String, _ body: (HDF5Container) throws -> Void) throws {
        let replacement = try FileReplacement(path: path), closeFailures = HDF5.closeFailures
        do {
            let container = try HDF5Container(creating: replacement.temporary, for: path)
            try body(container)
            try container.recordContentHash()
            try container.flush()
        }
        try requireClosed(since: closeFailures, path)
        try replacement.commit()
        HDF5Validation.trust(path)
    }

    /// - Throws: `DataError` if closing something has failed since `count` was read, and with it perhaps the last write of a dataset.
    static func requireClosed(since count: Int, _ path: String) throws {
        guard HDF5.closeFailures == count else {
            throw DataError(.inputOutput, "writing HDF5 failed: the last data could not be written", file: path)
        }
    }

    func flush() throws {
        try HDF5.locked {
            guard H5Fflush(handle.id, H5F_SCOPE_GLOBAL) >= 0 else { throw Self.writing(path) }
        }
    }

    static func writing(_ path: String) -> DataError {
        // libhdf5 leaves errno as the failed write set it.
        let number = errno
        if number == ENOSPC || number == EDQUOT { return SystemError.cannotWrite(path, number) }
        return HDF5.failure("writing HDF5 failed", file: path, .inputOutput)
    }

    // MARK: Reading

    /// The names of the datasets directly in a group (`/` is the root), sorted.
    package func datasetNames(in group: String = "/") throws -> [String] {
        try HDF5.locked {
            guard group == "/" || H5Lexists(handle.id, group, hid_t(H5P_DEFAULT)) > 0 else { return [] }
            return try links(in: group).map(\.name).filter { try kind(of: (group == "/" ? "/" : group + "/") + $0) == .dataset }
        }
    }

    struct Link {
        var name: String
        /// False for links to other places or files.
        var isHard: Bool
    }

    /// The links of a group, sorted by name.
    func links(in group: String) throws -> [Link] {
        try HDF5.locked {
            let opened = try HDF5Handle(H5Gopen2(handle.id, group, hid_t(H5P_DEFAULT)), failure("group \(group)"))
            var links: [Link] = []
            let status = withUnsafeMutablePointer(to: &links) { pointer in
                kh5_iterate_links(
                    opened.id,
                    { _, name, information, data in
                        guard let name, let information, let data else { return -1 }
                        data.assumingMemoryBound(to: [Link].self).pointee
                            .append(Link(name: String(cString: name), isHard: information.pointee.type == H5L_TYPE_HARD))
                        return 0
                    }, pointer)
            }
            guard status >= 0 else { throw failure("group \(group)") }
            return links
        }
    }

    enum ObjectKind { case group, dataset, other }

    func kind(of name: String) throws -> ObjectKind {
        try HDF5.locked {
            // Asked by its header: to open a dataset may mean to look for its parts.
            switch kh5_object_type(handle.id, name) {
            case Int32(H5O_TYPE_DATASET.rawValue): return .dataset
            case Int32(H5O_TYPE_GROUP.rawValue): return .group
            case Int32(H5O_TYPE_NAMED_DATATYPE.rawValue): return .other
            default: throw failure(name)
            }
        }
    }

    /// The names of the root's attributes.
    package func attributeNames() throws -> [String] {
        try HDF5.locked {
            var names: [String] = []
            let status = withUnsafeMutablePointer(to: &names) { pointer in
                H5Aiterate2(
                    handle.id, H5_INDEX_NAME, H5_ITER_INC, nil,
                    { _, name, _, data in
                        guard let name, let data else { return -1 }
                        data.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name))
                        return 0
                    }, pointer)
            }
            guard status >= 0 else { throw failure("attributes") }
            return names
        }
    }

    /// The dataset of this name, nil if absent.
    /// - Throws: `DataError` if it is there and damaged.
    package func dataset(_ name: String) throws -> HDF5Dataset? {
        try HDF5.locked {
            var prefix = ""
            for part in name.split(separator: "/") {
                prefix += "/" + part
                guard H5Lexists(handle.id, prefix, hid_t(H5P_DEFAULT)) > 0 else { return nil }
            }
            let opened = try HDF5Handle(H5Dopen2(handle.id, name, hid_t(H5P_DEFAULT)), failure("dataset \(name)"))
            let dataset = try HDF5Dataset(opened, name: name, file: path)
            var size: hsize_t = 0
            guard H5Fget_filesize(handle.id, &size) >= 0 else { throw failure("dataset \(name)") }
            try dataset.checkExtent(fileSize: Int(clamping: size))
            return dataset
        }
    }

    /// The dataset of this name.
    /// - Throws: `DataError` if absent, naming the file and the dataset.
    package func required(_ name: String) throws -> HDF5Dataset {
        guard let dataset = try dataset(name) else { throw damaged("it has no dataset \(name)") }
        return dataset
    }

    /// The bytes of a dataset as they lie in the file, mapped; nil if they lie in chunks, are other numbers than `type`, or may not be
    /// mapped: they are read then.
    ///
    /// What is mapped was checked by the validating process (`HDF5Validation`), and its end is compared with the size of the very file
    /// that is open here.
    func mapped(_ dataset: HDF5Dataset, as type: hid_t) throws -> MappedFile? {
        guard let source, let stretch = try dataset.stretch(of: type) else { return nil }
        if let mappable = source.mappable, !mappable.contains(stretch) { return nil }
        return try? MappedFile(descriptor: source.descriptor, stretch: stretch.offset..<stretch.offset + stretch.bytes, path: path)
    }

    /// A whole dataset of numbers and its shape.
    package func read<Number: HDF5Number>(_ name: String, as type: Number.Type) throws -> (shape: [Int], values: [Number]) {
        let dataset = try required(name)
        return (dataset.shape, try dataset.read(type))
    }

    /// An attribute of the root, nil if absent or not a scalar.
    public func attribute(_ name: String) throws -> HDF5Attribute? {
        try HDF5.locked {
            guard H5Aexists(handle.id, name) > 0 else { return nil }
            let attribute = try HDF5Handle(H5Aopen(handle.id, name, hid_t(H5P_DEFAULT)), failure("attribute \(name)"))
            let space = try HDF5Handle(H5Aget_space(attribute.id), failure("attribute \(name)"))
            guard H5Sget_simple_extent_npoints(space.id) == 1 else { return nil }
            let type = try HDF5Handle(H5Aget_type(attribute.id), failure("attribute \(name)"))
            func check(_ status: herr_t) throws {
                guard status >= 0 else { throw failure("attribute \(name)") }
            }
            switch H5Tget_class(type.id) {
            case H5T_STRING where H5Tis_variable_str(type.id) > 0:
                var pointer: UnsafeMutablePointer<CChar>?
                try check(H5Aread(attribute.id, type.id, &pointer))
                defer { if pointer != nil { H5free_memory(pointer) } }
                return .string(pointer.map { String(cString: $0) } ?? "")
            case H5T_STRING:
                let size = H5Tget_size(type.id)
                guard size <= 1 << 24 else { throw damaged("attribute \(name) has \(size) bytes") }
                var bytes = [UInt8](repeating: 0, count: size)
                try check(H5Aread(attribute.id, type.id, &bytes))
                return .string(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
            case H5T_INTEGER, H5T_ENUM:
                var value = 0
                try check(H5Aread(attribute.id, kh5_native_int64(), &value))
                return .int(value)
            case H5T_FLOAT:
                var value = 0.0
                try check(H5Aread(attribute.id, kh5_native_double(), &value))
                return .double(value)
            default: return nil
            }
        }
    }

    private func damaged(_ what: String) -> DataError { DataError(.badData, what, file: path) }
    private func failure(_ what: String) -> DataError { HDF5.failure(what, file: path) }

    // MARK: Writing

    /// Writes an array of numbers in one piece, row-major.
    package func write<Number: HDF5Number>(_ name: String, shape: [Int], values: [Number]) throws {
        precondition(values.count == shape.reduce(1, *), "the values do not fit the shape")
        let dataset = try make(name, shape: shape, type: Number.fileType)
        try values.withUnsafeBufferPointer { try dataset.write(rows: 0..<dataset.rows, from: $0) }
    }

    /// Makes an array of numbers, to be written a range of rows at a time.
    package func makeDataset<Number: HDF5Number>(_ name: String, shape: [Int], of type: Number.Type) throws -> HDF5Dataset {
        try make(name, shape: shape, type: Number.fileType)
    }

    /// Writes a list of strings as variable-length UTF-8.
    package func write(_ name: String, strings: [String]) throws {
        let type = try Self.stringType(path)
        let dataset = try make(name, shape: [strings.count], type: type.id)
        try dataset.write(rows: 0..<strings.count, strings: strings[...])
    }

    /// Sets an attribute of the root.
    package func set(_ name: String, _ value: HDF5Attribute) throws {
        try HDF5.locked {
            let space = try HDF5Handle(H5Screate(H5S_SCALAR), Self.writing(path))
            func write(_ file: hid_t, _ memory: hid_t, _ bytes: UnsafeRawPointer) throws {
                let attribute = try HDF5Handle(
                    H5Acreate2(handle.id, name, file, space.id, hid_t(H5P_DEFAULT), hid_t(H5P_DEFAULT)), Self.writing(path))
                guard H5Awrite(attribute.id, memory, bytes) >= 0 else { throw Self.writing(path) }
            }
            switch value {
            case .int(var value): try write(kh5_int64(), kh5_native_int64(), &value)
            case .double(var value): try write(kh5_float64(), kh5_native_double(), &value)
            case .string(let value):
                let type = try Self.stringType(path)
                try value.withCString { text in
                    var pointer: UnsafePointer<CChar>? = text
                    try write(type.id, type.id, &pointer)
                }
            }
        }
    }

    /// Makes a dataset, with the groups above it. `chunk` rows make a chunk and allow it to grow; nil makes it one contiguous block.
    func make(
        _ name: String, shape: [Int], type: hid_t, chunk: Int? = nil, canGrow: Bool = false, deflate: Bool = false
    ) throws -> HDF5Dataset {
        try HDF5.locked {
            let creation = try HDF5Handle(H5Pcreate(kh5_dataset_create()), Self.writing(path))
            let links = try HDF5Handle(H5Pcreate(kh5_link_create()), Self.writing(path))
            H5Pset_create_intermediate_group(links.id, 1)
            H5Pset_char_encoding(links.id, H5T_CSET_UTF8)
            H5Pset_obj_track_times(creation.id, false)
            var lengths = shape.map { hsize_t($0) }
            var limits = lengths
            if let chunk {
                var chunks = shape.map { hsize_t(max($0, 1)) }
                chunks[0] = hsize_t(max(chunk, 1))
                H5Pset_chunk(creation.id, Int32(chunks.count), &chunks)
                if deflate {
                    H5Pset_shuffle(creation.id)
                    H5Pset_deflate(creation.id, 1)
                }
                if canGrow { limits[0] = kh5_unlimited() }
            }
            let space = try HDF5Handle(
                shape.isEmpty ? H5Screate(H5S_SCALAR) : H5Screate_simple(Int32(shape.count), &lengths, &limits), Self.writing(path))
            let made = try HDF5Handle(
                H5Dcreate2(handle.id, name, type, space.id, links.id, creation.id, hid_t(H5P_DEFAULT)), Self.writing(path))
            return try HDF5Dataset(made, name: name, file: path)
        }
    }

    static func stringType(_ path: String) throws -> HDF5Handle {
        try HDF5.locked {
            let type = try HDF5Handle(H5Tcopy(kh5_c_string()), writing(path))
            H5Tset_size(type.id, kh5_variable())
            H5Tset_cset(type.id, H5T_CSET_UTF8)
            return type
        }
    }

    /// IEEE 754 binary16, little-endian, as h5py and NumPy write it.
    static func float16Type(_ path: String) throws -> HDF5Handle {
        try HDF5.locked {
            let type = try HDF5Handle(H5Tcopy(kh5_float32()), writing(path))
            H5Tset_fields(type.id, 15, 10, 5, 0, 10)
            H5Tset_size(type.id, 2)
            H5Tset_ebias(type.id, 15)
            return type
        }
    }
}
