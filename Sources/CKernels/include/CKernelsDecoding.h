// Vector loops of networks that write token after token.
#pragma once
#include <stdint.h>

#define KT_DECLARE(REAL, S)                                                                                                \
    /* Attention of one query each: query i looks at the keys first_keys[i] ..< first_keys[i] + key_counts[i] (at least 1), \
       rows of k and v that lie `stride` elements apart; out (queries x heads * head_size); scratch: the largest number    \
       of keys, rounded up to 16. */                                                                                       \
    void kt_attend_singly_##S(const REAL *q, int64_t q_stride, int64_t queries, const REAL *k, const REAL *v,              \
                              int64_t stride, const int64_t *first_keys, const int64_t *key_counts, int64_t heads,         \
                              int64_t head_size, REAL scale, REAL *out, REAL *scratch);                                    \
    /* A stretch of a softmax's scores passes by, x (rows x columns), the columns from `first` on. Kept of each row: top,   \
       the largest score so far, and best, its column (begin with -infinity and -1; of equal scores the first); total, the \
       sum of exp(score - top) (begin with 0); at, the score of the column wanted[row]. */                                 \
    void kt_scan_scores_##S(const REAL *x, int64_t rows, int64_t columns, int64_t first, const int32_t *wanted, REAL *top, \
                            REAL *total, int32_t *best, REAL *at);

KT_DECLARE(float, f)
KT_DECLARE(double, d)
#undef KT_DECLARE
