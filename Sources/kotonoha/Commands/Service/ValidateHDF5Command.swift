import ArgumentParser
import VectorStore

/// Not for people: a child process of the program itself reads a foreign HDF5 file first, so that a damaged one can crash nothing else.
struct ValidateHDF5Command: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "internal-validate-hdf5", shouldDisplay: false)

    @Argument var parent: Int32
    @Argument var seconds: Int

    func run() throws {
        let status = HDF5Validation.runAsChild(parent: parent, seconds: seconds)
        // Standard output is the report alone: success has nothing to add.
        if status != 0 { throw ExitCode(status) }
    }
}
