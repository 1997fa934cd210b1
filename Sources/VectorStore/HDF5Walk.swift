import CHDF5
import FileFormats
import Glibc

/// Touches everything in a file that a reader of this project may touch: attributes, the tree of groups, every dataset's type, space and
/// index of chunks, all strings, all of the small arrays and samples of the large ones, whose bytes cannot mislead anybody but by their
/// value.
final class HDF5Walk {
    let size: Int
    let container: HDF5Container
    /// Numbers on their way to nowhere; one block for all arrays, because a large file has thousands of them.
    private var scratch = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    /// Where arrays of the root lie that may be mapped.
    private(set) var stretches: Set<HDF5Stretch> = []

    private static let maximumStretches = 32
    private static let maximumObjects = 5_000_000
    private static let maximumDepth = 16
    /// Bytes up to which an array of numbers is read as a whole.
    private static let wholeLimit = 8 << 20

    init(descriptor: Int32, size: Int) throws {
        self.size = size
        container = try HDF5Container(trusted: descriptor, path: "it")
    }

    deinit { free(scratch.baseAddress) }

    func run() throws {
        for name in try container.attributeNames() { _ = try container.attribute(name) }
        var objects = 0
        try walk("/", depth: 0, &objects)
    }

    private func walk(_ group: String, depth: Int, _ objects: inout Int) throws {
        guard depth <= Self.maximumDepth else { throw DataError(.badData, "its groups are nested too deeply") }
        for link in try container.links(in: group) {
            objects += 1
            guard objects <= Self.maximumObjects else { throw DataError(.badData, "it has too many objects") }
            guard link.isHard else {
                throw DataError(.badData, "\(link.name) is a link to somewhere else; only files that are whole in themselves are read")
            }
            let name = (group == "/" ? "/" : group + "/") + link.name
            switch try container.kind(of: name) {
            case .group: try walk(name, depth: depth + 1, &objects)
            case .dataset: try touch(try container.required(name))
            case .other: break
            }
        }
    }

    /// Notes where an array lies, if it lies in one piece and within the file.
    private func note(_ dataset: HDF5Dataset) throws {
        for type in [kh5_float32(), kh5_int8(), kh5_uint8()] {
            guard let stretch = try dataset.stretch(of: type) else { continue }
            guard stretch.offset + stretch.bytes <= size else {
                throw DataError(.badData, "the numbers of \(dataset.name) end behind the end of the file")
            }
            stretches.insert(stretch)
        }
    }

    private func touch(_ dataset: HDF5Dataset) throws {
        try dataset.walkChunks()
        guard dataset.rows > 0, dataset.rowSize > 0 else { return }
        switch dataset.kind {
        case .string where dataset.shape.count <= 1:
            var bytes = 0
            for start in stride(from: 0, to: dataset.rows, by: 4096) {
                for string in try dataset.strings(rows: start..<min(start + 4096, dataset.rows)) { bytes += string.utf8.count }
                // Rows may point to the same text again and again, which a reader would hold once for each.
                guard !dataset.isVariableString || bytes <= size else {
                    throw DataError(.badData, "the texts of \(dataset.name) are longer than the file")
                }
            }
        case .float, .integer:
            let step = max(1, Self.wholeLimit / (8 * dataset.rowSize))
            // A compressed array is read whole: unpacking is work on data that may be damaged.
            let isWhole = dataset.isFiltered || dataset.rows <= step
            let starts = isWhole ? Array(stride(from: 0, to: dataset.rows, by: step)) : [0, dataset.rows / 2, dataset.rows - 1]
            let size = 8 * dataset.rowSize * (isWhole ? min(step, dataset.rows) : 1)
            if scratch.count < size {
                guard let block = malloc(size) else { throw MemoryBudget.error("rows of \(dataset.name)", bytes: size) }
                free(scratch.baseAddress)
                scratch = UnsafeMutableRawBufferPointer(start: block, count: size)
            }
            for start in starts { try dataset.touch(rows: start..<min(start + (isWhole ? step : 1), dataset.rows), scratch: scratch) }
            if !dataset.name.dropFirst().contains("/"), stretches.count < Self.maximumStretches { try note(dataset) }
        default: break
        }
    }
}
