#include "CKernels.h"
#include "elementary.h"
#include <math.h>

// One query, or a few, against rows that lie in memory as they lie in a file: every row is read once, so that memory is what limits.

#define INLINE static inline __attribute__((always_inline))

INLINE float dot(const float *x, const float *y, int64_t n) {
#pragma clang fp reassociate(on) contract(fast)
    float total = 0;
    for (int64_t i = 0; i < n; i++) total += x[i] * y[i];
    return total;
}

INLINE double dot_in_double(const float *x, const float *y, int64_t n) {
    double total = 0;
    for (int64_t i = 0; i < n; i++) total += (double)x[i] * (double)y[i];
    return total;
}

// Squares between these neither overflow in a sum nor lose digits.
INLINE int is_ordinary(float length) { return length > 1e-12f && length < 1e12f; }

KT_CLONES
int64_t kt_scan_cosines(const float *queries, int64_t query_count, const float *rows, int64_t count, int64_t width, const float *norms,
                        const uint8_t *valid, float *scores) {
    for (int64_t r = 0; r < count; r++) {
        const float *row = rows + r * width;
        if (valid && !valid[r]) {
            for (int64_t q = 0; q < query_count; q++) scores[q * count + r] = -INFINITY;
            continue;
        }
        float length = norms ? norms[r] : sqrtf(dot(row, row, width)), check = 0;
        if (is_ordinary(length)) {
            float reciprocal = 1 / length;
            for (int64_t q = 0; q < query_count; q++) {
                float score = dot(queries + q * width, row, width) * reciprocal;
                scores[q * count + r] = score;
                check += score * 0;
            }
            // NaN and infinity times zero are NaN, which stays.
            if (check == 0) continue;
        }
        double squares = dot_in_double(row, row, width);
        if (!(squares - squares == 0)) return r;
        double exact = sqrt(squares);
        for (int64_t q = 0; q < query_count; q++)
            scores[q * count + r] = squares > 0 ? (float)(dot_in_double(queries + q * width, row, width) / exact) : -INFINITY;
    }
    return -1;
}

KT_CLONES
void kt_scan_int8(const int16_t *query, float query_scale, const int8_t *codes, int64_t count, int64_t width, const float *scales,
                  const uint8_t *valid, float *scores) {
    for (int64_t r = 0; r < count; r++) {
        const int8_t *code = codes + r * width;
        int32_t total = 0;
        for (int64_t i = 0; i < width; i++) total += (int32_t)code[i] * (int32_t)query[i];
        int takes_part = scales[r] > 0 && (!valid || valid[r]);
        scores[r] = takes_part ? (float)total * (query_scale * scales[r]) : -INFINITY;
    }
}

KT_CLONES
void kt_scan_bounds(const float *scores, const float *errors, float a, float b, int64_t n, float *low, float *high) {
    for (int64_t i = 0; i < n; i++) {
        float slack = (errors ? errors[i] * a : 0) + b;
        low[i] = scores[i] - slack;
        high[i] = scores[i] + slack;
    }
}

INLINE uint64_t word_of(const uint8_t *bytes, int64_t left) {
    uint64_t word = 0;
    if (left >= 8) memcpy(&word, bytes, 8);
    else memcpy(&word, bytes, (size_t)left);
    return word;
}

// population count is an instruction of x86-64-v2 and later.
KT_CLONES
void kt_scan_bits(const uint64_t *planes, int32_t plane_count, float least, float step, float query_sum, const uint8_t *bits, int64_t count,
                  int64_t bytes, const uint8_t *valid, float *scores) {
    int64_t words = (bytes + 7) / 8;
    for (int64_t r = 0; r < count; r++) {
        const uint8_t *row = bits + r * bytes;
        int64_t ones = 0, weighted = 0;
        for (int64_t w = 0; w < words; w++) {
            uint64_t word = word_of(row + 8 * w, bytes - 8 * w);
            ones += __builtin_popcountll(word);
            for (int32_t p = 0; p < plane_count; p++) weighted += (int64_t)__builtin_popcountll(word & planes[p * words + w]) << p;
        }
        // The sum of q over the set bits, less the sum over the others.
        scores[r] = !valid || valid[r] ? 2 * (least * (float)ones + step * (float)weighted) - query_sum : -INFINITY;
    }
}
