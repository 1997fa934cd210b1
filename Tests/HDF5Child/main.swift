import Glibc
import VectorStore

// The child that validates HDF5 files, as a program of its own for the tests.
switch CommandLine.arguments.dropFirst().first {
case "validate": exit(HDF5Validation.runAsChild(CommandLine.arguments.last ?? ""))
case "hang": while true { sleep(1) }
default: exit(64)
}
