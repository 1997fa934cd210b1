// Calls every kernel of Sources/CKernels on awkward sizes and compares with plain loops in double precision. Exit status 1 if something
// differs. Pure C, so that it runs where there is a C compiler and no Swift: tools/aarch64-test builds it for 64-bit ARM as well.
#include "check.h"

int main(void) {
    test_float();
    test_double();
    test_search();
    test_maps();
    test_others();
    return finish();
}
