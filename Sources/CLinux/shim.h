#pragma once

// A call of Linux that Swift's Glibc module does not declare.

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Lets two names in the file system change places in one step; -1 and errno where that fails (renameat2 with RENAME_EXCHANGE).
static inline int kotonoha_exchange_names(const char *first, const char *second) {
    return (int)syscall(SYS_renameat2, AT_FDCWD, first, AT_FDCWD, second, 2);
}
