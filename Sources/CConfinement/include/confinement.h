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

/// Marks the calling thread as the one whose crashes are a damaged file's fault; it gets a stack of its own for the moment after one.
void kc_mark_thread(void);

/// Keeps what is said of the next crash of the marked thread; cut off at 1,023 bytes.
void kc_say_on_crash(const char *message);

/// From now on a crash of the marked thread says what was kept, on standard error, and ends the process with `status`. Crashes of other threads end it as ever.
void kc_end_on_crash(int status);
