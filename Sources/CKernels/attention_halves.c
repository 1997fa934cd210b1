// Attention over packed sequences with bfloat16 operands and float sums, for the low precisions of inference.
//
// As attention.inc, with two neighbouring numbers of the inner dimension in one 32-bit place, which one instruction (VDPBF16PS)
// multiplies and adds to a float sum. Exponentials need no more digits than the bfloat16 weights that they become.
#include "CKernels.h"
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))
#define INLINE static inline __attribute__((always_inline)) TARGET
#define ROWS KT_ATTENTION_ROWS
#define LANES KT_WIDEST_LANES
#define PADDED(n) (((n) + LANES - 1) / LANES * LANES)

// n numbers, a multiple of LANES, rounded.
INLINE void round_to_halves(const float *x, int64_t n, uint16_t *y) {
    for (int64_t i = 0; i < n; i += LANES)
        _mm256_storeu_si256((__m256i *)(y + i), (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(x + i)));
}

// out (ROWS x width) = a (ROWS x depth pairs) * b (depth pairs x width, stride b_stride); width is a multiple of LANES.
INLINE void rows_times_pairs(const uint32_t *a, int64_t a_stride, int64_t depth, const uint32_t *b, int64_t b_stride,
                             int64_t width, float *out) {
    int64_t column = 0;
    for (; column + 2 * LANES <= width; column += 2 * LANES) {
        __m512 sums[ROWS][2];
        for (int r = 0; r < ROWS; r++) sums[r][0] = sums[r][1] = _mm512_setzero_ps();
        for (int64_t d = 0; d < depth; d++) {
            __m512bh b0 = (__m512bh)_mm512_loadu_si512(b + d * b_stride + column);
            __m512bh b1 = (__m512bh)_mm512_loadu_si512(b + d * b_stride + column + LANES);
            for (int r = 0; r < ROWS; r++) {
                __m512bh pair = (__m512bh)_mm512_set1_epi32((int32_t)a[r * a_stride + d]);
                sums[r][0] = _mm512_dpbf16_ps(sums[r][0], pair, b0);
                sums[r][1] = _mm512_dpbf16_ps(sums[r][1], pair, b1);
            }
        }
        for (int r = 0; r < ROWS; r++) {
            _mm512_storeu_ps(out + r * width + column, sums[r][0]);
            _mm512_storeu_ps(out + r * width + column + LANES, sums[r][1]);
        }
    }
    for (; column < width; column += LANES) {
        __m512 sums[ROWS];
        for (int r = 0; r < ROWS; r++) sums[r] = _mm512_setzero_ps();
        for (int64_t d = 0; d < depth; d++) {
            __m512bh b0 = (__m512bh)_mm512_loadu_si512(b + d * b_stride + column);
            for (int r = 0; r < ROWS; r++)
                sums[r] = _mm512_dpbf16_ps(sums[r], (__m512bh)_mm512_set1_epi32((int32_t)a[r * a_stride + d]), b0);
        }
        for (int r = 0; r < ROWS; r++) _mm512_storeu_ps(out + r * width + column, sums[r]);
    }
}

// 2^x for x <= 0, relative error below 1e-5: 2^n times a polynomial on [-1/2, 1/2].
INLINE __m512 power_of_two(__m512 x) {
    x = _mm512_max_ps(x, _mm512_set1_ps(-200));
    __m512 n = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC), r = _mm512_sub_ps(x, n);
    __m512 p = _mm512_set1_ps(9.6181291e-3f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(5.5504109e-2f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(2.4022651e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(6.9314718e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1));
    return _mm512_scalef_ps(p, n);
}

// Scores of one query, which sees the keys first ..< end -> rounded weights, still to be multiplied with what is returned.
INLINE float weigh(float *row, int64_t width, int64_t first, int64_t end, float scale, uint16_t *weights) {
    if (first >= end) {
        memset(weights, 0, (size_t)width * sizeof *weights);
        return 0;
    }
    for (int64_t j = 0; j < first; j++) row[j] = -INFINITY;
    for (int64_t j = end; j < width; j++) row[j] = -INFINITY;
    __m512 factor = _mm512_set1_ps(scale * 1.44269504f), top = _mm512_set1_ps(-INFINITY), sum = _mm512_setzero_ps();
    // A maximum that saw NaN or not: NaN comes through the subtraction below.
    for (int64_t j = 0; j < width; j += LANES) top = _mm512_max_ps(top, _mm512_mul_ps(_mm512_loadu_ps(row + j), factor));
    __m512 highest = _mm512_set1_ps(_mm512_reduce_max_ps(top));
    for (int64_t j = 0; j < width; j += LANES) {
        __m512 x = _mm512_fmsub_ps(_mm512_loadu_ps(row + j), factor, highest);
        // max(NaN, y) is y, but NaN must stay NaN.
        __mmask16 isNumber = _mm512_cmp_ps_mask(x, x, _CMP_EQ_OQ);
        __m512 e = _mm512_mask_mov_ps(x, isNumber, power_of_two(x));
        sum = _mm512_add_ps(sum, e);
        _mm256_storeu_si256((__m256i *)(weights + j), (__m256i)_mm512_cvtneps_pbh(e));
    }
    return 1 / _mm512_reduce_add_ps(sum);
}

// to (columns / 2 x padded(rows)) = pairs of neighbouring columns of each row; zeros for the rows that fill up.
INLINE void transpose_pairs(const float *from, int64_t stride, int64_t rows, int64_t columns, uint32_t *to) {
    int64_t width = PADDED(rows);
    uint32_t pairs[LANES / 2];
    for (int64_t r = 0; r < width; r++)
        for (int64_t c = 0; c < columns; c += LANES) {
            if (r < rows) round_to_halves(from + r * stride + c, LANES, (uint16_t *)pairs); else memset(pairs, 0, sizeof pairs);
            for (int64_t p = 0; p < LANES / 2; p++) to[(c / 2 + p) * width + r] = pairs[p];
        }
}

// to (pairs of rows x columns) = from; a row of zeros goes with an odd last one.
INLINE void pair_rows(const float *from, int64_t stride, int64_t rows, int64_t columns, uint32_t *to) {
    for (int64_t r = 0; r < rows; r += 2)
        for (int64_t c = 0; c < columns; c += LANES) {
            __m512 upper = _mm512_loadu_ps(from + r * stride + c);
            __m512 lower = r + 1 < rows ? _mm512_loadu_ps(from + (r + 1) * stride + c) : _mm512_setzero_ps();
            __m512i first = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(upper));
            __m512i second = _mm512_slli_epi32(_mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(lower)), 16);
            _mm512_storeu_si512(to + r / 2 * columns + c, _mm512_or_si512(first, second));
        }
}

// Which keys query i sees.
INLINE void visible(const kt_attention_shape *shape, int64_t i, int64_t queries, int64_t keys, int64_t *first, int64_t *end) {
    *first = 0;
    *end = keys;
    if (shape->mask == KT_MASK_NONE) return;
    int64_t place = i + (keys - queries);
    *end = place < 0 ? 0 : place + 1 < keys ? place + 1 : keys;
    if (shape->mask == KT_MASK_CAUSAL_WINDOW && place > shape->window) *first = place - shape->window;
}

TARGET
void kt_attention_halves(const kt_attention_shape *shape, const float *q, const float *k, const float *v, float scale, float *out,
                         float *scratch) {
    int64_t size = shape->head_size;
    for (int64_t s = 0; s < shape->segments; s++) {
        int64_t q0 = shape->query_offsets[s], queries = shape->query_offsets[s + 1] - q0;
        int64_t k0 = shape->key_offsets[s], keys = shape->key_offsets[s + 1] - k0, width = PADDED(keys), pairs = (keys + 1) / 2;
        float *scores = scratch, *result = scores + ROWS * width;
        uint32_t *kt = (uint32_t *)(result + ROWS * size), *vp = kt + size / 2 * width, *rows = vp + pairs * size;
        uint32_t *weights = rows + ROWS * size / 2;
        for (int64_t h = 0; h < shape->heads; h++) {
            if (h % shape->key_group == 0) {
                int64_t shared = h / shape->key_group * size;
                transpose_pairs(k + k0 * shape->k_stride + shared, shape->k_stride, keys, size, kt);
                pair_rows(v + k0 * shape->v_stride + shared, shape->v_stride, keys, size, vp);
            }
            for (int64_t next = 0; next < queries; next += ROWS) {
                // The last block reaches back over rows that are done, and does them again: a row comes out the same.
                int64_t i = next + ROWS <= queries || queries < ROWS ? next : queries - ROWS;
                int64_t count = queries < ROWS ? queries : ROWS;
                for (int64_t r = 0; r < count; r++)
                    round_to_halves(q + (q0 + i + r) * shape->q_stride + h * size, size, (uint16_t *)(rows + r * size / 2));
                memset(rows + count * size / 2, 0, (size_t)((ROWS - count) * size / 2) * sizeof *rows);
                // The keys that some query of the block sees, in whole vectors.
                int64_t first, end, unused;
                visible(shape, i, queries, keys, &first, &unused);
                visible(shape, i + count - 1, queries, keys, &unused, &end);
                int64_t low = first / LANES * LANES, seen = PADDED(end) - low;
                if (seen <= 0) low = 0, seen = width;
                rows_times_pairs(rows, size / 2, size / 2, kt + low, width, seen, scores);
                float norms[ROWS];
                for (int64_t r = 0; r < ROWS; r++) {
                    if (r < count) visible(shape, i + r, queries, keys, &first, &end);
                    norms[r] = weigh(scores + r * seen, seen, first - low, end - low, scale, (uint16_t *)(weights + r * seen / 2));
                }
                int64_t depth = low + seen < keys ? seen / 2 : pairs - low / 2;
                rows_times_pairs(weights, seen / 2, depth, vp + low / 2 * size, size, size, result);
                for (int64_t r = 0; r < count; r++) {
                    float *to = out + (q0 + i + r) * shape->out_stride + h * size;
                    for (int64_t c = 0; c < size; c++) to[c] = result[r * size + c] * norms[r];
                }
            }
        }
    }
}
#else

// No bfloat16 products here: the same attention with operands and sums in float.
void kt_attention_halves(const kt_attention_shape *shape, const float *q, const float *k, const float *v, float scale, float *out,
                         float *scratch) {
    kt_attention_f(shape, q, k, v, NULL, scale, out, NULL, scratch);
}
#endif
