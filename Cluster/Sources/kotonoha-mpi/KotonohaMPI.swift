import ArgumentParser
import CMPI
import Foundation
import Glibc
import Kotonoha
import Synchronization

/// `mpirun -n 4 kotonoha-mpi train encoder config.json -o my-model`
@main
struct KotonohaMPI: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kotonoha-mpi", abstract: "Train on several machines over MPI, with the same bits as on one.",
        subcommands: [Train.self])

    struct Train: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Train a model.", subcommands: [EncoderCommand.self])
    }

    static func main() {
        StopRequest.install()
        guard kmpi_start() == 0 else {
            say("kotonoha-mpi: MPI does not start; run it by mpirun or srun")
            Glibc.exit(DataError.Kind.unavailable.rawValue)
        }
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let error as DataError where error.kind == .interrupted {
            // All ranks stop after the same step; the first one may still be writing its checkpoint, and ending MPI waits for it.
            if kmpi_rank() == 0 { say("kotonoha-mpi: \(error)") }
            kmpi_end()
            Glibc.exit(error.kind.rawValue)
        } catch let error as DataError {
            say("kotonoha-mpi: \(kmpi_count() > 1 ? "rank \(kmpi_rank()): " : "")\(error)")
            // Nobody may wait for this rank.
            kmpi_abort(error.kind.rawValue)
        } catch {
            let isFirst = kmpi_rank() == 0
            kmpi_end()
            if isFirst { Self.exit(withError: error) }
            Glibc.exit(exitCode(for: error).rawValue)
        }
        kmpi_end()
    }

    static func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}

/// SIGUSR1 (which mpirun passes on to all ranks), SIGTERM and Control-C ask the run to stop after a step.
enum StopRequest {
    private static let requested = Atomic(false)
    static var isMade: Bool { requested.load(ordering: .relaxed) }

    static func install() {
        for number in [SIGUSR1, SIGTERM, SIGINT] { signal(number) { _ in StopRequest.requested.store(true, ordering: .relaxed) } }
    }
}
