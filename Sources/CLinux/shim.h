#pragma once

// Calls of Linux that Swift's Glibc module does not declare.

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Lets two names in the file system change places in one step; -1 and errno where that fails (renameat2 with RENAME_EXCHANGE).
static inline int kotonoha_exchange_names(const char *first, const char *second) {
    return (int)syscall(SYS_renameat2, AT_FDCWD, first, AT_FDCWD, second, 2);
}

/// The path with which this program was started, as the kernel keeps it (relative where it was called so); NULL where it keeps none.
static inline const char *kotonoha_started_as(void) { return (const char *)getauxval(AT_EXECFN); }
