#include <stddef.h>
#include <unistd.h>
#include <sys/random.h>
#include <stdlib.h>
/* arc4random_buf came with glibc 2.36; getrandom is in 2.25. */
__attribute__((visibility("hidden"))) void arc4random_buf(void *to, size_t count) {
    unsigned char *p = to;
    while (count > 0) {
        ssize_t got = getrandom(p, count > 256 ? 256 : count, 0);
        if (got < 0) abort();
        p += got; count -= (size_t)got;
    }
}
