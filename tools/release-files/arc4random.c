// arc4random_buf came with glibc 2.36 and is all that Expat of Debian 12 wants of it; getrandom has been there since 2.25.
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

__attribute__((visibility("hidden"))) void arc4random_buf(void *to, size_t count) {
    unsigned char *next = to;
    while (count > 0) {
        // At most 256 bytes a call, so that a signal cannot cut it short.
        ssize_t got = getrandom(next, count > 256 ? 256 : count, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) abort();
        next += got;
        count -= (size_t)got;
    }
}
