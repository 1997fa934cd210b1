import CConfinement
import CHDF5
import CHDF5Driver
import FileFormats
import Glibc
import Synchronization

/// The door to libhdf5. The library keeps global state and may be built without threads: everything that touches it happens on one
/// thread, one piece of work after the other; its own printing of errors is off, and its error stack becomes a `DataError`.
///
/// That thread may open nothing: the kernel refuses (Landlock, seccomp), so that no file can talk libhdf5 into reading another one, by
/// external storage, virtual datasets, links or plug-ins. Files are opened outside and handed over as descriptors (`CHDF5Driver`).
package enum HDF5 {
    private static let worker = Worker()

    /// Runs `body` on libhdf5's thread, with exclusive access to libhdf5. Reentrant.
    /// - Complexity: some microseconds on top of the work, for the way there and back.
    package static func locked<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        try worker.perform(body)
    }

    /// What keeps libhdf5's thread from the file system: `landlock`, `seccomp`, both, or nothing where the kernel has neither.
    package static var confinement: [String] { worker.confinement }

    /// How often libhdf5 has failed to close something. Closing a dataset writes what is left of it; where that fails, the data are lost,
    /// and no later call reports it: compare this number before and after writing a file.
    static var closeFailures: Int { failedCloses.load(ordering: .acquiring) }
    fileprivate static let failedCloses = Atomic(0)

    /// A list of properties for opening or creating a file that lives in `descriptor`.
    static func access(to descriptor: Int32, _ failure: @autoclosure () -> DataError) throws -> HDF5Handle {
        try locked {
            let access = try HDF5Handle(H5Pcreate(kh5_file_access()), failure())
            guard worker.driver >= 0, kh5_driver_set(access.id, worker.driver, descriptor) >= 0 else { throw failure() }
            return access
        }
    }

    /// An error with what libhdf5 says about its last failure, its innermost message; of kind `memory` where that is what it lacked.
    static func failure(_ what: String, file: String, _ kind: DataError.Kind = .badData) -> DataError {
        struct Found {
            var text = "", isMemory = false
        }
        var found = Found()
        locked {
            withUnsafeMutablePointer(to: &found) { pointer in
                _ = H5Ewalk2(
                    hid_t(H5E_DEFAULT), H5E_WALK_UPWARD,
                    { number, error, data in
                        guard let error = error?.pointee, let found = data?.assumingMemoryBound(to: Found.self) else { return 0 }
                        if number == 0, let description = error.desc { found.pointee.text = String(cString: description) }
                        if error.maj_num == kh5_error_resource(), error.min_num == kh5_error_no_space() { found.pointee.isMemory = true }
                        return 0
                    }, pointer)
            }
        }
        if found.isMemory { return DataError(.memory, "not enough memory (libhdf5: \(found.text)); \(MemoryBudget.advice)", file: file) }
        return DataError(kind, "\(what): \(found.text.isEmpty ? "libhdf5 gives no reason" : found.text)", file: file)
    }

    /// Sendable, because `job` is written and read in turns that the two semaphores order, `outside` lets one caller in at a time, and
    /// everything else is set before the first caller sees the object.
    private final class Worker: @unchecked Sendable {
        private(set) var driver: hid_t = -1
        private(set) var confinement: [String] = []
        private var thread = pthread_t()
        private var hasThread = false
        private var job: (() -> Void)?
        /// Held by callers that have work for the thread. Recursive for the case that there is no thread and callers do the work
        /// themselves.
        private let outside = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        private let isGiven = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        private let isDone = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

        // One object for the whole life of the process: nothing is taken down.
        init() {
            var attributes = pthread_mutexattr_t()
            pthread_mutexattr_init(&attributes)
            pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_RECURSIVE))
            pthread_mutex_init(outside, &attributes)
            pthread_mutexattr_destroy(&attributes)
            sem_init(isGiven, 0, 0)
            sem_init(isDone, 0, 0)
            hasThread =
                pthread_create(
                    &thread, nil,
                    { context in
                        guard let context else { return nil }
                        Unmanaged<Worker>.fromOpaque(context).takeUnretainedValue().serve()
                    }, Unmanaged.passUnretained(self).toOpaque()) == 0
            if hasThread { Self.wait(isDone) } else { open() }
        }

        private func open() {
            H5dont_atexit()
            H5open()
            H5Eset_auto2(hid_t(H5E_DEFAULT), nil, nil)
            driver = kh5_driver_register()
        }

        private func serve() -> Never {
            kc_mark_thread()
            open()
            let walls = kc_confine()
            confinement = (Int(walls) & KC_LANDLOCK != 0 ? ["landlock"] : []) + (Int(walls) & KC_SECCOMP != 0 ? ["seccomp"] : [])
            while true {
                sem_post(isDone)
                Self.wait(isGiven)
                work()
            }
        }

        /// A function of its own, so that nothing of the job is left when the caller goes on.
        private func work() {
            let job = job
            self.job = nil
            job?()
        }

        func perform<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
            if hasThread, pthread_equal(pthread_self(), thread) != 0 { return try body() }
            pthread_mutex_lock(outside)
            defer { pthread_mutex_unlock(outside) }
            guard hasThread else { return try body() }
            var outcome: Swift.Result<Result, Failure>?
            withoutActuallyEscaping(body) { body in
                job = { do throws(Failure) { outcome = .success(try body()) } catch { outcome = .failure(error) } }
                sem_post(isGiven)
                Self.wait(isDone)
            }
            guard let outcome else { preconditionFailure("the work was not done") }
            return try outcome.get()
        }

        private static func wait(_ semaphore: UnsafeMutablePointer<sem_t>) { while sem_wait(semaphore) != 0 {} }
    }
}

/// An open object of libhdf5 (file, group, dataset, type, space, property list), closed with its last reference.
final class HDF5Handle: Sendable {
    let id: hid_t

    /// Takes over an id that a call of libhdf5 returned; negative ones are its failures.
    init(_ id: hid_t, _ failure: @autoclosure () -> DataError) throws {
        self.id = id
        guard id >= 0 else { throw failure() }
    }

    deinit {
        guard id >= 0 else { return }
        let status = HDF5.locked { H5Idec_ref(id) }
        if status < 0 { HDF5.failedCloses.add(1, ordering: .releasing) }
    }
}
