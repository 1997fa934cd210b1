// Calls every kernel of Sources/CKernels on awkward sizes and compares with plain loops in double precision. Pure C, so that it runs wherever
// a C compiler's output does: tools/aarch64-test builds it for 64-bit ARM as well. Exit status 1 if something differs.
#include "check.h"

int main(void) {
    test_float();
    test_double();
    test_search();
    test_maps();
    test_others();
    return finish();
}
