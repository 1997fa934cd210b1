#pragma once

// What Swift cannot call itself: prctl, Landlock and seccomp, whose C faces take variable arguments or macros.

enum {
    KC_LANDLOCK = 1, // the kernel refuses to open, make or remove anything in the file system, and to open TCP connections
    KC_SECCOMP = 2,  // the kernel refuses every call but those on descriptors that are open already, and on memory
};

/// Takes from the calling thread, and from threads and processes that it starts later, every way to reach a file that it does not hold
/// open: for good. Returns the KC_ bits of what this kernel could put in force; 0 where it knows neither.
int kc_confine(void);

/// Ends this process when `parent`, the process that started it, ends; 0 where it is gone already.
int kc_die_with_parent(int parent);

/// Closes every descriptor from `first` on.
void kc_close_from(int first);
