import CHDF5
import Glibc
import VectorStore

// For the tests: the child that validates HDF5 files, children that misbehave, and the making of hostile files, which only libhdf5 itself
// can make. Each way of use is the first word.
let words = CommandLine.arguments
let itself = HDF5Validation.Program(executable: "/proc/self/exe", arguments: ["linger"])
switch words.count > 1 ? words[1] : "" {
case "validate": exit(HDF5Validation.runAsChild(parent: Int32(words[2]) ?? 0, seconds: Int(words[3]) ?? 0))

// read FILE: what a program does with a file that has passed. crash FILE: the same, and libhdf5's thread crashes. A crash elsewhere:
// crash-elsewhere.
case "read", "crash":
    HDF5Validation.endOnCrash()
    do {
        let file = try HDF5Container(path: words[2])
        if words[1] == "crash" { HDF5.locked { _ = raise(SIGSEGV) } }
        if try file.datasetNames().contains("embeddings") {
            let vectors = try VectorFile(path: words[2])
            _ = try vectors.block(rows: 0..<min(vectors.count, 1000))
        } else {
            _ = try LayerFile(path: words[2]).load(layers: [1], words: [2, 3, 1], name: { "\($0)" })
        }
    } catch {
        print(error)
        exit(1)
    }
case "crash-elsewhere":
    HDF5Validation.endOnCrash()
    raise(SIGSEGV)

// Never ends, and has confined nothing.
case "hang": while true { sleep(1) }

// Does not come to an end, like a child that is busy with a large file.
case "linger":
    guard HDF5Validation.confineChild(parent: Int32(words[2]) ?? 0, seconds: Int(words[3]) ?? 0) else { exit(1) }
    while true { sleep(1) }

// A parent for the one above.
case "parent":
    do { try HDF5Validation.validate(words[2], by: itself) } catch { print(error) }

// trespass FILE FILE2: what a child may still do when it is confined, had nobody looked at the file.
case "trespass":
    H5Eset_auto2(hid_t(H5E_DEFAULT), nil, nil)
    let file = H5Fopen(words[2], kh5_acc_rdonly(), hid_t(H5P_DEFAULT))
    func read() -> String {
        var bytes = [UInt8](repeating: 0, count: 64)
        let dataset = H5Dopen2(file, "/data", hid_t(H5P_DEFAULT))
        defer { H5Idec_ref(dataset) }
        guard H5Dread(dataset, kh5_native_uint8(), 0, 0, hid_t(H5P_DEFAULT), &bytes) >= 0 else { return "denied" }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    print("before: \(read())")
    guard HDF5Validation.confineChild(parent: getppid(), seconds: 60) else { exit(1) }
    print("after: \(read())")
    print(
        "open: \(open(words[3], O_RDONLY))", "create: \(open(words[3] + ".new", O_WRONLY | O_CREAT, 0o600))",
        "folder: \(mkdir(words[3] + ".folder", 0o700))")
    print(
        "remove: \(unlink(words[3]))", "truncate: \(truncate(words[3], 0))", "network: \(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))",
        "link: \(symlink("/", words[3] + ".link"))")
    // Standard output is a pipe or a file that is open; it alone still works.
    fflush(nil)
    _exit(0)

// external OUT OTHER: 64 bytes that stand in another file. virtual OUT OTHER: the dataset /data of another HDF5 file. link OUT OTHER.
case "external", "virtual", "link":
    let file = H5Fcreate(words[2], kh5_acc_trunc(), hid_t(H5P_DEFAULT), hid_t(H5P_DEFAULT))
    var length: hsize_t = 64
    let space = H5Screate_simple(1, &length, nil), creation = H5Pcreate(kh5_dataset_create())
    switch words[1] {
    case "external": H5Pset_external(creation, words[3], 0, 64)
    case "virtual": H5Pset_virtual(creation, space, words[3], "/data", space)
    default:
        H5Lcreate_external(words[3], "/data", file, "/data", hid_t(H5P_DEFAULT), hid_t(H5P_DEFAULT))
        H5Fclose(file)
        exit(0)
    }
    let dataset = H5Dcreate2(file, "/data", kh5_uint8(), space, hid_t(H5P_DEFAULT), creation, hid_t(H5P_DEFAULT))
    exit(H5Dclose(dataset) >= 0 && H5Fclose(file) >= 0 ? 0 : 1)

// sparse OUT ROWS: as many rows, none of which was written. chunk OUT BYTES: one row in a chunk of that size.
case "sparse", "chunk":
    let file = H5Fcreate(words[2], kh5_acc_trunc(), hid_t(H5P_DEFAULT), hid_t(H5P_DEFAULT))
    let count = hsize_t(words[3]) ?? 0
    var length = words[1] == "sparse" ? count : 1, limit = kh5_unlimited(), chunk = words[1] == "sparse" ? 1024 : count
    let space = H5Screate_simple(1, &length, &limit), creation = H5Pcreate(kh5_dataset_create())
    H5Pset_chunk(creation, 1, &chunk)
    H5Pset_deflate(creation, 9)
    let dataset = H5Dcreate2(file, "/data", kh5_uint8(), space, hid_t(H5P_DEFAULT), creation, hid_t(H5P_DEFAULT))
    var byte: UInt8 = 1
    if words[1] == "chunk" { H5Dwrite(dataset, kh5_native_uint8(), 0, 0, hid_t(H5P_DEFAULT), &byte) }
    exit(H5Dclose(dataset) >= 0 && H5Fclose(file) >= 0 ? 0 : 1)

// shrink FILE: the file is cut short while its vectors are mapped; then another output is written.
case "shrink":
    do {
        let file = try VectorFile(path: words[2])
        print(file.isMapped ? "mapped" : "read")
        truncate(words[2], 4096)
        do { print("rows: \(try file.vectors().rows)") } catch { print(error) }
        try HDF5Container.create(path: words[2] + ".new") { try $0.write("/x", shape: [1], values: [1.0]) }
        print("goes on")
    } catch { print(error) }
default: exit(64)
}
