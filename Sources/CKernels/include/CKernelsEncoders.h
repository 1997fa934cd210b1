// Vector loops that only some encoder families need: rotary positions, gated feed-forward layers, disentangled attention.
#pragma once
#include <stdint.h>

// Disentangled attention (He et al. 2021): what positions add to the score of query i and key j of one head,
// scale * (q_i . position_keys[m] + k_j . position_queries[m]) with m = row_of_distance[i - j]. Either term may be absent.
typedef struct {
    const int64_t *offsets;          // rows of segment s: offsets[s] ..< offsets[s + 1]
    const int64_t *score_offsets;    // its scores (heads, n, n) begin here
    int64_t segments, heads, head_size;
    int64_t stride;                  // elements from one token to the next in queries and keys
    int64_t position_stride;         // the same in position_keys and position_queries
    const int32_t *row_of_distance;  // valid from -(longest - 1) to longest - 1
} kt_disentangled_shape;

#define KT_DECLARE(REAL, S)                                                                                                \
    /* Rotary positions (Su et al. 2021): in each row, of each of `heads` heads, elements c and c + head_size / 2 turn by  \
       the angle whose cosine and sine stand at [positions[row] * head_size / 2 + c]; backward for sign = -1. */           \
    void kt_rotate_##S(REAL *x, int64_t rows, int64_t stride, int64_t heads, int64_t head_size, const int32_t *positions,  \
                       const REAL *cosines, const REAL *sines, REAL sign);                                                 \
    /* y (rows x width) = f(left half) * right half of x (rows x 2 width) */                                               \
    void kt_gate_##S(int32_t kind, const REAL *x, int64_t rows, int64_t width, REAL *y);                                   \
    /* dx += ...; scratch: 2 * width elements */                                                                           \
    void kt_gate_backward_##S(int32_t kind, const REAL *x, const REAL *dy, int64_t rows, int64_t width, REAL *dx,          \
                              REAL *scratch);                                                                              \
    void kt_disentangled_##S(const kt_disentangled_shape *shape, const REAL *q, const REAL *k, const REAL *position_keys,  \
                             const REAL *position_queries, REAL scale, REAL *scores);                                      \
    /* every gradient += ... */                                                                                            \
    void kt_disentangled_backward_##S(const kt_disentangled_shape *shape, const REAL *q, const REAL *k,                    \
                                      const REAL *position_keys, const REAL *position_queries, REAL scale,                 \
                                      const REAL *dscores, REAL *dq, REAL *dk, REAL *dposition_keys,                       \
                                      REAL *dposition_queries);

KT_DECLARE(float, f)
KT_DECLARE(double, d)
#undef KT_DECLARE
