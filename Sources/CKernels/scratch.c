#include "CKernels.h"

// Large enough for the backward pass in either scalar type, whose vectors have at most 16 lanes.
int64_t kt_attention_scratch(int64_t longest_queries, int64_t longest_keys, int64_t head_size) {
    (void)longest_queries;
    int64_t width = (longest_keys + 15) / 16 * 16, padded = (head_size + 15) / 16 * 16, rows = 8;
    return 2 * head_size * width + 3 * longest_keys * padded + 2 * rows * width + 3 * rows * padded + 16;
}
