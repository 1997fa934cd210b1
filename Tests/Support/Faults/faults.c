// Faults on request, preloaded into the program: the n-th call that changes something on the disk kills the process or fails.
//
//   KOTONOHA_FAULT_AT     which call, from 1; 0 or unset for none
//   KOTONOHA_FAULT        kill: the process ends before the call; once: the call fails with an input/output error;
//                         full: this and every later call that needs room fails, as on a full disk
//   KOTONOHA_FAULT_TRACE  a file that gets a line for each call: number, name, what it works on
//
// Calls on pipes, devices and the three standard streams do not count.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static long fault_at;
static int is_kill, is_full, trace = -1;
static pid_t owner;
static long count;

__attribute__((constructor)) static void prepare(void) {
    const char *at = getenv("KOTONOHA_FAULT_AT"), *kind = getenv("KOTONOHA_FAULT"), *path = getenv("KOTONOHA_FAULT_TRACE");
    fault_at = at ? atol(at) : 0;
    is_kill = kind && !strcmp(kind, "kill");
    is_full = kind && !strcmp(kind, "full");
    owner = getpid();
    if (path) trace = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    // Children of the program are left alone.
    unsetenv("KOTONOHA_FAULT_AT");
    unsetenv("KOTONOHA_FAULT_TRACE");
}

// 0, or the error with which the call is to fail.
static int fault(const char *name, const char *what, int needs_room) {
    if (getpid() != owner) return 0;
    long number = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
    if (trace >= 0) {
        char line[4400];
        int length = snprintf(line, sizeof line, "%ld\t%s\t%s\n", number, name, what ? what : "");
        if (length > 0) syscall(SYS_write, trace, line, length < (int)sizeof line ? length : (int)sizeof line);
    }
    if (!fault_at || number < fault_at) return 0;
    if (is_full) return needs_room ? ENOSPC : 0;
    if (number != fault_at) return 0;
    if (is_kill) {
        kill(owner, SIGKILL);
        // A thread without the right to send signals ends the process as abruptly.
        syscall(SYS_exit_group, 137);
    }
    return EIO;
}

static int is_file(int descriptor, char *name, size_t size) {
    struct stat information;
    if (descriptor <= 2 || fstat(descriptor, &information) != 0) return 0;
    if (!S_ISREG(information.st_mode) && !S_ISDIR(information.st_mode)) return 0;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, name, size - 1);
    name[length > 0 ? length : 0] = 0;
    return 1;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL(name, what, room) do { int error_ = fault(#name, what, room); if (error_) { errno = error_; return -1; } } while (0)
#define FAIL_ON(name, descriptor, room) \
    do { char path_[4200]; if (is_file(descriptor, path_, sizeof path_)) FAIL(name, path_, room); } while (0)

ssize_t write(int f, const void *b, size_t n) { FAIL_ON(write, f, 1); return NEXT(write)(f, b, n); }
ssize_t writev(int f, const struct iovec *v, int n) { FAIL_ON(writev, f, 1); return NEXT(writev)(f, v, n); }
ssize_t pwrite(int f, const void *b, size_t n, off_t o) { FAIL_ON(pwrite, f, 1); return NEXT(pwrite)(f, b, n, o); }
ssize_t pwrite64(int f, const void *b, size_t n, off64_t o) { FAIL_ON(pwrite64, f, 1); return NEXT(pwrite64)(f, b, n, o); }
int ftruncate(int f, off_t n) { FAIL_ON(ftruncate, f, 1); return NEXT(ftruncate)(f, n); }
int ftruncate64(int f, off64_t n) { FAIL_ON(ftruncate64, f, 1); return NEXT(ftruncate64)(f, n); }
int fsync(int f) { FAIL_ON(fsync, f, 1); return NEXT(fsync)(f); }
int fdatasync(int f) { FAIL_ON(fdatasync, f, 1); return NEXT(fdatasync)(f); }

static const char *both(char *text, size_t size, const char *from, const char *to) {
    snprintf(text, size, "%s\t%s", from, to);
    return text;
}
int rename(const char *a, const char *b) { char t[4200]; FAIL(rename, both(t, sizeof t, a, b), 0); return NEXT(rename)(a, b); }
int renameat(int d, const char *a, int e, const char *b) {
    char t[4200];
    FAIL(renameat, both(t, sizeof t, a, b), 0);
    return NEXT(renameat)(d, a, e, b);
}
int renameat2(int d, const char *a, int e, const char *b, unsigned f) {
    char t[4200];
    FAIL(renameat2, both(t, sizeof t, a, b), 0);
    return NEXT(renameat2)(d, a, e, b, f);
}
int link(const char *a, const char *b) { char t[4200]; FAIL(link, both(t, sizeof t, a, b), 1); return NEXT(link)(a, b); }
int linkat(int d, const char *a, int e, const char *b, int f) {
    char t[4200];
    FAIL(linkat, both(t, sizeof t, a, b), 1);
    return NEXT(linkat)(d, a, e, b, f);
}
int unlink(const char *p) { FAIL(unlink, p, 0); return NEXT(unlink)(p); }
int unlinkat(int d, const char *p, int f) { FAIL(unlinkat, p, 0); return NEXT(unlinkat)(d, p, f); }
int remove(const char *p) { FAIL(remove, p, 0); return NEXT(remove)(p); }
int rmdir(const char *p) { FAIL(rmdir, p, 0); return NEXT(rmdir)(p); }
int mkdir(const char *p, mode_t m) { FAIL(mkdir, p, 1); return NEXT(mkdir)(p, m); }

// Opening counts where it may make a file.
#define OPENING(name, path, flags) \
    mode_t mode = 0; \
    int makes = ((flags) & O_CREAT) || ((flags) & O_TMPFILE) == O_TMPFILE; \
    if (makes) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); FAIL(name, path, 1); }
int open(const char *p, int flags, ...) { OPENING(open, p, flags) return NEXT(open)(p, flags, mode); }
int open64(const char *p, int flags, ...) { OPENING(open64, p, flags) return NEXT(open64)(p, flags, mode); }
int openat(int d, const char *p, int flags, ...) { OPENING(openat, p, flags) return NEXT(openat)(d, p, flags, mode); }
int openat64(int d, const char *p, int flags, ...) { OPENING(openat64, p, flags) return NEXT(openat64)(d, p, flags, mode); }
