#include "CKernels.h"
#include "elementary.h"

#define REAL float
#define F(name) name##_f
#define kt_sqrt_f sqrtf
#define kt_log_f logf
#define LANES KT_WIDEST_LANES
// Before a loop whose output may be its input, element by element: without it the compiler tests for overlap at run time and takes the
// scalar loop.
#define IN_PLACE _Pragma("clang loop vectorize(assume_safety)")
#include "rowwise.inc"
#include "attention.inc"
#include "decoding.inc"
#include "recurrent.inc"
#include "encoders.inc"
#include "optimizers.inc"
#include "probe.inc"

int64_t kt_attention_scratch(int64_t longest_queries, int64_t longest_keys, int64_t head_size) {
    (void)longest_queries;
    int64_t lanes = KT_WIDEST_LANES, rows = ROWS;
    int64_t width = (longest_keys + lanes - 1) / lanes * lanes, padded = (head_size + lanes - 1) / lanes * lanes;
    // What the backward pass of either type needs is more than the others do.
    return 2 * head_size * width + 3 * longest_keys * padded + (2 * rows + 1) * width + 3 * rows * padded + lanes;
}
