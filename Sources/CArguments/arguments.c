#include "CArguments.h"
#include <unistd.h>

// Of Swift's runtime (SwiftShims); nothing happens where a later one has it no more.
extern void _swift_stdlib_overrideUnsafeArgvArgc(char **arguments, int count) __attribute__((weak));

__attribute__((constructor)) static void keep(int count, char **arguments) {
    if (access("/proc/self/cmdline", R_OK) != 0 && _swift_stdlib_overrideUnsafeArgvArgc) _swift_stdlib_overrideUnsafeArgvArgc(arguments, count);
}
