#define _GNU_SOURCE
#include "confinement.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Landlock by its numbers (landlock(7)), so that older kernel headers build this as well.
#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#define __NR_landlock_restrict_self 446
#endif
#ifndef __NR_close_range
#define __NR_close_range 436
#endif

struct ruleset {
    uint64_t files, network, scopes;
};

static int confine_by_landlock(void) {
    long version = syscall(__NR_landlock_create_ruleset, NULL, 0, 1 /* LANDLOCK_CREATE_RULESET_VERSION */);
    if (version < 1) return 0;
    // Everything that a version knows is handled, and no rule allows any of it.
    int files = version >= 5 ? 16 : version >= 3 ? 15 : version >= 2 ? 14 : 13;
    struct ruleset rules = {.files = (1ull << files) - 1, .network = version >= 4 ? 3 : 0, .scopes = 0};
    size_t size = version >= 4 ? offsetof(struct ruleset, scopes) : offsetof(struct ruleset, network);
    int ruleset = (int)syscall(__NR_landlock_create_ruleset, &rules, size, 0);
    if (ruleset < 0) return 0;
    int status = (int)syscall(__NR_landlock_restrict_self, ruleset, 0);
    close(ruleset);
    return status == 0;
}

#if defined(__x86_64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#define ALLOW(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static int confine_by_seccomp(void) {
#ifdef THIS_ARCHITECTURE
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCHITECTURE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        // Descriptors that are open.
        ALLOW(__NR_read), ALLOW(__NR_write), ALLOW(__NR_pread64), ALLOW(__NR_pwrite64), ALLOW(__NR_readv), ALLOW(__NR_writev),
        ALLOW(__NR_lseek),
        ALLOW(__NR_fstat), ALLOW(__NR_newfstatat), ALLOW(__NR_fcntl), ALLOW(__NR_dup), ALLOW(__NR_close), ALLOW(__NR_ftruncate),
        ALLOW(__NR_fsync),
        ALLOW(__NR_fdatasync), ALLOW(__NR_ppoll),
        // Memory.
        ALLOW(__NR_mmap), ALLOW(__NR_munmap), ALLOW(__NR_mremap), ALLOW(__NR_mprotect), ALLOW(__NR_madvise), ALLOW(__NR_brk),
        // Threads, waiting and the end.
        ALLOW(__NR_futex), ALLOW(__NR_sched_yield), ALLOW(__NR_sched_getaffinity), ALLOW(__NR_set_robust_list),
        ALLOW(__NR_restart_syscall), ALLOW(__NR_exit),
        ALLOW(__NR_exit_group), ALLOW(__NR_rt_sigaction), ALLOW(__NR_rt_sigprocmask), ALLOW(__NR_rt_sigreturn),
        ALLOW(__NR_sigaltstack), ALLOW(__NR_tgkill),
        ALLOW(__NR_gettid), ALLOW(__NR_getpid), ALLOW(__NR_nanosleep), ALLOW(__NR_clock_nanosleep), ALLOW(__NR_clock_gettime),
        ALLOW(__NR_gettimeofday),
        ALLOW(__NR_getrandom), ALLOW(__NR_getrusage), ALLOW(__NR_membarrier),
#ifdef __NR_rseq
        ALLOW(__NR_rseq),
#endif
#ifdef __NR_poll
        ALLOW(__NR_poll),
#endif
        // The rest, open and its kin before all, is not permitted.
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};
    // Without the flag some kernels would turn off speculative loads on this thread and slow it down.
    return syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) == 0
        || syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
#else
    return 0;
#endif
}

int kc_confine(void) {
    // What a process without privileges promises before it may confine itself.
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 0;
    // Landlock first, because its calls are not among those that seccomp allows.
    int landlock = confine_by_landlock() ? KC_LANDLOCK : 0;
    return landlock | (confine_by_seccomp() ? KC_SECCOMP : 0);
}

int kc_die_with_parent(int parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    // It may have ended before it could be watched.
    return getppid() == parent;
}

void kc_close_from(int first) {
    if (syscall(__NR_close_range, first, ~0u, 0) == 0) return;
    for (int descriptor = first; descriptor < 1024; descriptor++) close(descriptor);
}

static _Thread_local int is_marked;
static char last_words[1024];
static volatile int last_status;

void kc_mark_thread(void) {
    static char stack[1 << 16];
    stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&own, NULL);
    is_marked = 1;
}

void kc_say_on_crash(const char *message) {
    strncpy(last_words, message, sizeof last_words - 1);
}

static void crashed(int number) {
    if (is_marked) {
        if (write(STDERR_FILENO, last_words, strlen(last_words)) < 0) _exit(last_status);
        _exit(last_status);
    }
    // The kernel does the rest when this returns.
    signal(number, SIG_DFL);
    raise(number);
}

void kc_end_on_crash(int status) {
    last_status = status;
    struct sigaction action = {.sa_handler = crashed, .sa_flags = SA_ONSTACK};
    int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT};
    for (int i = 0; i < 4; i++) sigaction(numbers[i], &action, NULL);
}
