#include "CArguments.h"
#include <stddef.h>

static int count;
static char **words;

// glibc calls constructors with what it will call main with.
__attribute__((constructor)) static void keep(int argc, char **argv) {
    count = argc;
    words = argv;
}

int kotonoha_argument_count(void) { return count; }

const char *kotonoha_argument(int index) { return index >= 0 && index < count ? words[index] : NULL; }
