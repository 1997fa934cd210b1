import CFuzzDriver
import Foundation
import FuzzTargets

// fuzz NAME -seeds prints the files from which mutation begins; fuzz NAME FILE... reads files once; linked with libFuzzer (tools/fuzz),
// fuzz NAME [libFuzzer's arguments] mutates.
guard CommandLine.arguments.count > 2, let target = FuzzTarget(rawValue: CommandLine.arguments[1]) else {
    print(
        "usage: fuzz NAME -seeds | FILE... | libFuzzer's arguments; NAME is one of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))"
    )
    exit(64)
}
if CommandLine.arguments[2] == "-seeds" {
    for seed in target.seeds { print(seed.path) }
    exit(0)
}
// The callback of C takes no context, so the target's name travels in the environment.
setenv("KOTONOHA_FUZZ_TARGET", target.rawValue, 1)
var arguments: [UnsafeMutablePointer<CChar>?] = ([CommandLine.arguments[0]] + CommandLine.arguments.dropFirst(2)).map { strdup($0) }
arguments.append(nil)
let status = kf_run(Int32(arguments.count - 1), &arguments) { bytes, count in
    let name = getenv("KOTONOHA_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    do { try FuzzTarget(rawValue: name)?.run(UnsafeRawBufferPointer(start: bytes, count: count)) } catch {
        print("finding: \(error)")
        abort()
    }
    return 0
}
if status >= 0 { exit(status) }
for path in CommandLine.arguments.dropFirst(2) {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    let time = try ContinuousClock().measure { try data.withUnsafeBytes { try target.run($0) } }
    print("\(path): \(time)")
}
