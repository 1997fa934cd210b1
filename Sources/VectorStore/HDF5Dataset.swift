import CHDF5
import FileFormats
import Glibc

/// The numbers that an HDF5 file of this project may hold, and how they are called there.
package protocol HDF5Number {
    static var memoryType: Int64 { get }
    static var fileType: Int64 { get }
}
extension Float: HDF5Number {
    /// `H5T_NATIVE_FLOAT`.
    package static var memoryType: Int64 { kh5_native_float() }
    /// `H5T_IEEE_F32LE`.
    package static var fileType: Int64 { kh5_float32() }
}
extension Double: HDF5Number {
    /// `H5T_NATIVE_DOUBLE`.
    package static var memoryType: Int64 { kh5_native_double() }
    /// `H5T_IEEE_F64LE`.
    package static var fileType: Int64 { kh5_float64() }
}
extension Int8: HDF5Number {
    /// `H5T_NATIVE_INT8`.
    package static var memoryType: Int64 { kh5_native_int8() }
    /// `H5T_STD_I8LE`.
    package static var fileType: Int64 { kh5_int8() }
}
extension UInt8: HDF5Number {
    /// `H5T_NATIVE_UINT8`.
    package static var memoryType: Int64 { kh5_native_uint8() }
    /// `H5T_STD_U8LE`.
    package static var fileType: Int64 { kh5_uint8() }
}
extension Int32: HDF5Number {
    /// `H5T_NATIVE_INT32`.
    package static var memoryType: Int64 { kh5_native_int32() }
    /// `H5T_STD_I32LE`.
    package static var fileType: Int64 { kh5_int32() }
}
extension Int: HDF5Number {
    /// `H5T_NATIVE_INT64`.
    package static var memoryType: Int64 { kh5_native_int64() }
    /// `H5T_STD_I64LE`.
    package static var fileType: Int64 { kh5_int64() }
}

/// Where a contiguous dataset lies in its file.
struct HDF5Stretch: Hashable, Sendable {
    var offset: Int, bytes: Int
}

/// A dataset of an HDF5 file. Its first axis is read in ranges, so that files larger than memory can be walked through.
package final class HDF5Dataset: Sendable {
    /// What it holds.
    package enum Kind: Sendable, Equatable {
        case float(bytes: Int), integer(bytes: Int), string, other
    }

    /// The name inside the file, as `/embeddings`.
    package let name: String
    /// Lengths of the axes, slowest first; empty for a single value.
    package let shape: [Int]
    /// The type of its elements.
    package let kind: Kind
    private let file: String
    private let handle: HDF5Handle
    let isVariableString: Bool
    private let fixedStringSize: Int
    /// IEEE 754 binary16, little-endian.
    private let isBinary16: Bool

    /// Rows: the length of the first axis, 1 for a single value.
    package var rows: Int { shape.first ?? 1 }
    /// Elements in a row.
    package var rowSize: Int { shape.dropFirst().reduce(1, *) }

    init(_ handle: HDF5Handle, name: String, file: String) throws {
        self.handle = handle
        self.name = name
        self.file = file
        func damaged(_ what: String) -> DataError { DataError(.badData, "dataset \(name): \(what)", file: file) }
        func failure() -> DataError { HDF5.failure("dataset \(name)", file: file) }
        try HDF5.locked { try Self.checkStorage(handle, damaged, failure()) }
        (shape, kind, isVariableString, fixedStringSize, isBinary16) = try HDF5.locked {
            let space = try HDF5Handle(H5Dget_space(handle.id), failure())
            let rank = H5Sget_simple_extent_ndims(space.id)
            guard rank >= 0, rank <= 8 else { throw damaged("it has \(rank) axes; at most 8 are read") }
            var lengths = [hsize_t](repeating: 0, count: Int(rank))
            guard rank == 0 || H5Sget_simple_extent_dims(space.id, &lengths, nil) == rank else { throw failure() }
            var shape: [Int] = []
            var size = 8
            for length in lengths {
                guard let length = Int(exactly: length) else { throw damaged("an axis is longer than any file") }
                let product = size.multipliedReportingOverflow(by: max(length, 1))
                guard !product.overflow else { throw damaged("its shape is larger than any file") }
                size = product.partialValue
                shape.append(length)
            }
            let type = try HDF5Handle(H5Dget_type(handle.id), failure())
            let bytes = H5Tget_size(type.id)
            switch H5Tget_class(type.id) {
            case H5T_FLOAT:
                guard bytes == 2 else { return (shape, .float(bytes: bytes), false, 0, false) }
                let binary16 = try HDF5Container.float16Type(file)
                return (shape, .float(bytes: bytes), false, 0, H5Tequal(type.id, binary16.id) > 0)
            case H5T_INTEGER, H5T_ENUM: return (shape, .integer(bytes: bytes), false, 0, false)
            case H5T_STRING: return (shape, .string, H5Tis_variable_str(type.id) > 0, bytes, false)
            default: return (shape, .other, false, 0, false)
            }
        }
    }

    private func damaged(_ what: String) -> DataError { DataError(.badData, "dataset \(name): \(what)", file: file) }
    private func failure(_ what: String = "") -> DataError { HDF5.failure("dataset \(name)\(what.isEmpty ? "" : ": " + what)", file: file) }

    /// Refuses data that lies elsewhere than in this file. Asked before anything else, because libhdf5 looks for the parts of a virtual
    /// dataset as soon as its shape is wanted.
    private static func checkStorage(_ handle: HDF5Handle, _ damaged: (String) -> DataError, _ failure: @autoclosure () -> DataError) throws
    {
        let creation = try HDF5Handle(H5Dget_create_plist(handle.id), failure())
        let files = H5Pget_external_count(creation.id), layout = H5Pget_layout(creation.id)
        guard files >= 0, layout != H5D_LAYOUT_ERROR else { throw failure() }
        guard files == 0, layout != H5D_VIRTUAL else {
            throw damaged(
                "its data are in another file (\(files > 0 ? "external storage" : "a virtual dataset")); only self-contained files are supported"
            )
        }
    }

    /// Refuses a shape that is not backed by data: rows that were never written, chunks that share their bytes, more than compression can
    /// have saved. Reading such would fill memory with nothing. Small arrays may be what they like.
    func checkExtent(fileSize: Int) throws {
        try HDF5.locked {
            let type = try storedType(), creation = try HDF5Handle(H5Dget_create_plist(handle.id), failure())
            let size = shape.reduce(1, *).multipliedReportingOverflow(by: H5Tget_size(type.id))
            guard size.overflow || size.partialValue > Self.unbackedLimit else { return }
            let stored = Int(clamping: H5Dget_storage_size(handle.id))
            let isPacked = H5Pget_nfilters(creation.id) > 0
            let backed = stored.multipliedReportingOverflow(by: isPacked ? Self.bestCompression : 1)
            guard !size.overflow, stored <= fileSize, backed.overflow || backed.partialValue >= size.partialValue else {
                throw damaged("its shape \(shape) is far larger than the \(min(stored, fileSize)) bytes stored in the file")
            }
        }
    }

    /// Bytes that an array may have without being in the file, and how many times smaller than itself deflate can make one (1032:1).
    private static let unbackedLimit = 64 << 20, bestCompression = 1100

    /// Reads rows as numbers of one kind; libhdf5 converts from what is stored. `values` has room for exactly those rows.
    /// - Throws: `DataError` if the dataset holds no numbers or the file is damaged.
    package func read<Number: HDF5Number>(rows range: Range<Int>, into values: UnsafeMutableBufferPointer<Number>) throws {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows && values.count == range.count * rowSize, "rows out of range")
        switch kind {
        case .float, .integer: break
        default: throw damaged("numbers were expected")
        }
        guard !values.isEmpty else { return }
        if isBinary16, let floats = values as? UnsafeMutableBufferPointer<Float> { return try readHalves(rows: range, into: floats) }
        try read(rows: range, as: Number.memoryType, into: values.baseAddress)
    }

    /// libhdf5 converts half precision one element after the other: the bits as they lie in the file, widened here, come many times faster.
    private func readHalves(rows range: Range<Int>, into values: UnsafeMutableBufferPointer<Float>) throws {
        let type = try storedType()
        try withUnsafeTemporaryAllocation(of: UInt16.self, capacity: values.count) { bits in
            try read(rows: range, as: type.id, into: bits.baseAddress)
            HalfPrecision.widen(float16: UnsafeRawBufferPointer(bits), into: values)
        }
    }

    /// Reads rows so that they lie in memory as `type` says.
    private func read(rows range: Range<Int>, as type: hid_t, into bytes: UnsafeMutableRawPointer?) throws {
        try transfer(rows: range) { memory, space in
            guard H5Dread(handle.id, type, memory, space, hid_t(H5P_DEFAULT), bytes) >= 0 else {
                throw failure("reading")
            }
        }
    }

    private func storedType() throws -> HDF5Handle { try HDF5.locked { try HDF5Handle(H5Dget_type(handle.id), failure()) } }

    /// Reads rows as numbers of one kind, row-major.
    package func read<Number: HDF5Number>(_: Number.Type, rows range: Range<Int>? = nil) throws -> [Number] {
        let range = range ?? 0..<rows
        let count = range.count * rowSize
        // A false shape is detected by the file's size before memory is allocated.
        guard count <= 1 << 36 else { throw damaged("\(count) numbers are too many to be read at once") }
        try MemoryBudget.require(count * MemoryLayout<Number>.stride, for: "the numbers of \(name)", file: file)
        return try [Number](unsafeUninitializedCapacity: count) { buffer, initialized in
            try read(rows: range, into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
            initialized = count
        }
    }

    /// Reads rows of a dataset of strings with one axis.
    /// - Throws: `DataError` if it holds no strings or the file is damaged.
    package func strings(rows range: Range<Int>? = nil) throws -> [String] {
        guard kind == .string, shape.count <= 1 else { throw damaged("one axis of strings was expected") }
        let range = range ?? 0..<rows
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows out of range")
        // At least the strings themselves; their bytes are no more than the file.
        try MemoryBudget.require(range.count * MemoryLayout<String>.stride, for: "the texts of \(name)", file: file)
        var strings: [String] = []
        strings.reserveCapacity(range.count)
        // In blocks, because libhdf5 copies every string once more.
        var start = range.lowerBound
        while start < range.upperBound {
            let block = start..<min(start + 4096, range.upperBound)
            try isVariableString ? appendVariable(block, to: &strings) : appendFixed(block, to: &strings)
            start = block.upperBound
        }
        return strings
    }

    private func appendVariable(_ range: Range<Int>, to strings: inout [String]) throws {
        try HDF5.locked {
            let type = try storedType()
            var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: range.count)
            try transfer(rows: range) { memory, space in
                let isRead = pointers.withUnsafeMutableBytes {
                    H5Dread(handle.id, type.id, memory, space, hid_t(H5P_DEFAULT), $0.baseAddress) >= 0
                }
                defer { _ = pointers.withUnsafeMutableBytes { H5Dvlen_reclaim(type.id, memory, hid_t(H5P_DEFAULT), $0.baseAddress) } }
                guard isRead else { throw failure("reading") }
                for pointer in pointers { strings.append(pointer.map { String(cString: $0) } ?? "") }
            }
        }
    }

    private func appendFixed(_ range: Range<Int>, to strings: inout [String]) throws {
        guard fixedStringSize > 0, fixedStringSize <= 1 << 20 else {
            throw damaged("strings of \(fixedStringSize) bytes each are not read")
        }
        try HDF5.locked {
            let type = try storedType()
            var bytes = [UInt8](repeating: 0, count: range.count * fixedStringSize)
            try read(rows: range, as: type.id, into: &bytes)
            for row in 0..<range.count {
                strings.append(
                    String(decoding: bytes[row * fixedStringSize..<(row + 1) * fixedStringSize].prefix { $0 != 0 }, as: UTF8.self))
            }
        }
    }

    // MARK: Looking at the storage

    /// Where the numbers lie in the file, one after the other; nil if they lie in chunks or in the header, are other numbers than `type`,
    /// or do not begin where a number of four bytes may.
    func stretch(of type: hid_t) throws -> HDF5Stretch? {
        try HDF5.locked {
            let stored = try storedType(), creation = try HDF5Handle(H5Dget_create_plist(handle.id), failure())
            guard H5Tequal(stored.id, type) > 0, H5Pget_layout(creation.id) == H5D_CONTIGUOUS, H5Pget_external_count(creation.id) == 0
            else { return nil }
            let size = shape.reduce(1, *).multipliedReportingOverflow(by: H5Tget_size(stored.id))
            // An address that says "none" is all ones.
            guard let offset = Int(exactly: H5Dget_offset(handle.id)), !size.overflow, size.partialValue > 0, offset % 4 == 0,
                H5Dget_storage_size(handle.id) == size.partialValue, offset.addingReportingOverflow(size.partialValue).overflow == false
            else { return nil }
            return HDF5Stretch(offset: offset, bytes: size.partialValue)
        }
    }

    /// True if chunks are compressed or otherwise transformed.
    var isFiltered: Bool {
        HDF5.locked {
            let creation = H5Dget_create_plist(handle.id)
            guard creation >= 0 else { return false }
            defer { H5Idec_ref(creation) }
            return H5Pget_nfilters(creation) > 0
        }
    }

    /// Reads rows of numbers and forgets them, so that damage shows. `scratch` has room for 8 bytes an element.
    func touch(rows range: Range<Int>, scratch: UnsafeMutableRawBufferPointer) throws {
        let count = range.count * rowSize, type = try storedType()
        precondition(scratch.count >= 8 * count, "no room for \(count) elements")
        // Bytes of these types need no interpreting and cannot mislead; converting them would take most of the time.
        let plain = [kh5_float32(), kh5_float64(), kh5_int8(), kh5_uint8(), kh5_int32(), kh5_int64()]
        if isBinary16 || HDF5.locked({ plain.contains { H5Tequal(type.id, $0) > 0 } }) {
            try read(rows: range, as: type.id, into: scratch.baseAddress)
        } else {
            try read(rows: range, into: UnsafeMutableBufferPointer(rebasing: scratch.bindMemory(to: Double.self)[..<count]))
        }
    }

    /// The bytes of rows as they lie in the file, after decompression.
    func withStoredBytes(rows range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Void) throws {
        let type = try storedType(), size = HDF5.locked { H5Tget_size(type.id) }
        let count = range.count.multipliedReportingOverflow(by: rowSize), bytes = count.partialValue.multipliedReportingOverflow(by: size)
        guard !count.overflow, !bytes.overflow, bytes.partialValue <= 1 << 32 else { throw damaged("its rows are too long to be read") }
        try withUnsafeTemporaryAllocation(byteCount: bytes.partialValue, alignment: 64) { room in
            if bytes.partialValue > 0 { try read(rows: range, as: type.id, into: room.baseAddress) }
            body(UnsafeRawBufferPointer(room))
        }
    }

    /// Walks through the whole index of chunks, which is where damage misleads libhdf5.
    func walkChunks() throws {
        try HDF5.locked {
            let creation = try HDF5Handle(H5Dget_create_plist(handle.id), failure())
            guard H5Pget_layout(creation.id) == H5D_CHUNKED else { return }
            let space = try HDF5Handle(H5Dget_space(handle.id), failure())
            var count: hsize_t = 0
            guard H5Dget_num_chunks(handle.id, space.id, &count) >= 0 else { throw failure("its index of chunks") }
        }
    }

    // MARK: Writing

    /// Writes rows that are already within the extent.
    package func write<Number: HDF5Number>(rows range: Range<Int>, from values: UnsafeBufferPointer<Number>) throws {
        try write(rows: range, type: Number.memoryType, UnsafeRawPointer(values.baseAddress))
    }

    func write(rows range: Range<Int>, type: hid_t, _ values: UnsafeRawPointer?) throws {
        guard !range.isEmpty, rowSize > 0 else { return }
        try HDF5.locked {
            // The shape kept here is that of opening; a writer extends datasets.
            let space = try HDF5Handle(H5Dget_space(handle.id), failure())
            let memory = try select(range, in: space)
            guard H5Dwrite(handle.id, type, memory.id, space.id, hid_t(H5P_DEFAULT), values) >= 0 else { throw HDF5Container.writing(file) }
        }
    }

    func write(rows range: Range<Int>, strings: ArraySlice<String>) throws {
        let type = try HDF5Container.stringType(file)
        // One block of bytes for all strings: libhdf5 wants an array of pointers to strings that end in zero.
        var bytes: [CChar] = []
        var offsets: [Int] = []
        for string in strings {
            offsets.append(bytes.count)
            // NUL ends a string in C; readers refuse NUL in texts, so none is lost here.
            bytes.append(contentsOf: string.utf8.lazy.filter { $0 != 0 }.map { CChar(bitPattern: $0) })
            bytes.append(0)
        }
        try bytes.withUnsafeBufferPointer { bytes in
            let pointers = offsets.map { offset in bytes.baseAddress.map { $0 + offset } }
            try pointers.withUnsafeBytes { try write(rows: range, type: type.id, $0.baseAddress) }
        }
    }

    func extend(toRows rows: Int) throws {
        try HDF5.locked {
            var lengths = ([rows] + shape.dropFirst()).map { hsize_t($0) }
            guard H5Dset_extent(handle.id, &lengths) >= 0 else { throw HDF5Container.writing(file) }
        }
    }

    // MARK: Selecting

    private func transfer(rows range: Range<Int>, _ body: (_ memory: hid_t, _ file: hid_t) throws -> Void) throws {
        try HDF5.locked {
            let space = try HDF5Handle(H5Dget_space(handle.id), failure())
            let memory = try select(range, in: space)
            try body(memory.id, space.id)
        }
    }

    /// Selects rows in the file's space and makes the space of as many elements in memory.
    private func select(_ range: Range<Int>, in space: HDF5Handle) throws -> HDF5Handle {
        guard !shape.isEmpty else { return try HDF5Handle(H5Screate(H5S_SCALAR), failure()) }
        var start = [hsize_t](repeating: 0, count: shape.count)
        var counts = shape.map { hsize_t($0) }
        start[0] = hsize_t(range.lowerBound)
        counts[0] = hsize_t(range.count)
        guard H5Sselect_hyperslab(space.id, H5S_SELECT_SET, &start, nil, &counts, nil) >= 0 else { throw failure() }
        return try HDF5Handle(H5Screate_simple(Int32(counts.count), &counts, nil), failure())
    }
}
