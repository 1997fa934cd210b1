import CHDF5
import FileFormats
import Glibc
import Synchronization

/// The door to libhdf5. The library keeps global state and may be built without threads: everything that touches it
/// happens behind one lock, with its own printing of errors switched off; its error stack becomes a `DataError`.
enum HDF5 {
    /// Recursive, because objects close themselves wherever they are released.
    private final class Lock: @unchecked Sendable {
        // Sendable: the pointer does not change, and a mutex is made to be used by all threads.
        private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

        init() {
            var attributes = pthread_mutexattr_t()
            pthread_mutexattr_init(&attributes)
            pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_RECURSIVE))
            pthread_mutex_init(mutex, &attributes)
            pthread_mutexattr_destroy(&attributes)
            H5dont_atexit()
            H5open()
        }

        func lock() { pthread_mutex_lock(mutex) }
        func unlock() { pthread_mutex_unlock(mutex) }
    }

    private static let lock = Lock()

    /// Runs `body` while no other thread is inside libhdf5.
    static func locked<Result>(_ body: () throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        // Where libhdf5 was built with threads, each thread has an error stack of its own that prints until told not to.
        H5Eset_auto2(hid_t(H5E_DEFAULT), nil, nil)
        return try body()
    }

    /// What libhdf5 says about its last failure: the innermost message.
    static func failureText() -> String {
        var text = ""
        withUnsafeMutablePointer(to: &text) { pointer in
            _ = H5Ewalk2(hid_t(H5E_DEFAULT), H5E_WALK_UPWARD, { number, error, data in
                if number == 0, let description = error?.pointee.desc {
                    data?.assumingMemoryBound(to: String.self).pointee = String(cString: description)
                }
                return 0
            }, pointer)
        }
        return text.isEmpty ? "libhdf5 gives no reason" : text
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
        if id >= 0 { HDF5.locked { _ = H5Idec_ref(id) } }
    }
}
