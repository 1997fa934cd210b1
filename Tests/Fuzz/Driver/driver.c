#include "fuzzdriver.h"

// https://llvm.org/docs/LibFuzzer.html#using-libfuzzer-as-a-library
__attribute__((weak)) int LLVMFuzzerRunDriver(int *argument_count, char ***arguments, int (*target)(const uint8_t *bytes, size_t count));

int kf_run(int argument_count, char **arguments, int (*target)(const uint8_t *bytes, size_t count)) {
    return LLVMFuzzerRunDriver ? LLVMFuzzerRunDriver(&argument_count, &arguments, target) : -1;
}
