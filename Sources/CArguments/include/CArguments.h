#pragma once

// The words of the command line as the C library hands them to a program at its start. Swift reads them from /proc/self/cmdline, which a container or chroot
// without /proc does not have.

/// How many there are, the program's own name among them.
int kotonoha_argument_count(void);

/// The word at `index`, from 0; NULL outside.
const char *kotonoha_argument(int index);
