#include "single_row.h"

#if defined(__x86_64__)
#include <immintrin.h>

bool kd_row_product_fits(kd_precision precision, int64_t inputs, int64_t outputs, size_t bytes) {
    size_t numbers = (size_t)(inputs * outputs);
    if (inputs % 64 != 0 || outputs % KD_BLOCK_COLUMNS != 0 || !__builtin_cpu_supports("avx512f")) return false;
    switch (precision) {
    case KD_F32: return bytes == 4 * numbers;
    case KD_BF16: return bytes == 2 * numbers && __builtin_cpu_supports("avx512bf16");
    case KD_S8: return bytes >= numbers + 4 * (size_t)outputs && __builtin_cpu_supports("avx512vnni");
    }
    return false;
}

// The library adds up so many inputs in order, in one accumulator a column, and adds that to the sum so far (2.6; another version may differ,
// and the trial finds out).
static int64_t inputs_per_sum(int64_t inputs) { return inputs <= 1024 ? 512 : 1024; }

__attribute__((target("avx512f"))) static void finish(float *y, const float *bias) {
    for (int i = 0; bias && i < KD_BLOCK_COLUMNS; i += 16)
        _mm512_storeu_ps(y + i, _mm512_add_ps(_mm512_loadu_ps(y + i), _mm512_loadu_ps(bias + i)));
}

__attribute__((target("avx512f"))) static void add(float *y, __m512 sum, bool is_first) {
    _mm512_storeu_ps(y, is_first ? sum : _mm512_add_ps(_mm512_loadu_ps(y), sum));
}

__attribute__((target("avx512f"))) static void floats(const float *w, int64_t inputs, const float *x, float *y, const float *bias) {
    for (int64_t i = 0, span = inputs_per_sum(inputs); i < inputs; i += span) {
        __m512 a = _mm512_setzero_ps(), b = a, c = a, d = a;
        for (int64_t j = i; j < inputs && j < i + span; j++, w += KD_BLOCK_COLUMNS) {
            __m512 v = _mm512_set1_ps(x[j]);
            a = _mm512_fmadd_ps(v, _mm512_loadu_ps(w), a);
            b = _mm512_fmadd_ps(v, _mm512_loadu_ps(w + 16), b);
            c = _mm512_fmadd_ps(v, _mm512_loadu_ps(w + 32), c);
            d = _mm512_fmadd_ps(v, _mm512_loadu_ps(w + 48), d);
        }
        add(y, a, i == 0), add(y + 16, b, i == 0), add(y + 32, c, i == 0), add(y + 48, d, i == 0);
    }
    finish(y, bias);
}

__attribute__((target("avx512f,avx512bf16"))) static void halves(const uint16_t *w, int64_t inputs, const uint16_t *x, float *y, const float *bias) {
    for (int64_t i = 0, span = inputs_per_sum(inputs); i < inputs; i += span) {
        __m512 a = _mm512_setzero_ps(), b = a, c = a, d = a;
        for (int64_t j = i; j < inputs && j < i + span; j += 2, w += 2 * KD_BLOCK_COLUMNS) {
            int32_t pair;
            __builtin_memcpy(&pair, x + j, sizeof pair);
            __m512bh v = (__m512bh)_mm512_set1_epi32(pair);
            a = _mm512_dpbf16_ps(a, v, (__m512bh)_mm512_loadu_si512(w));
            b = _mm512_dpbf16_ps(b, v, (__m512bh)_mm512_loadu_si512(w + 32));
            c = _mm512_dpbf16_ps(c, v, (__m512bh)_mm512_loadu_si512(w + 64));
            d = _mm512_dpbf16_ps(d, v, (__m512bh)_mm512_loadu_si512(w + 96));
        }
        add(y, a, i == 0), add(y + 16, b, i == 0), add(y + 32, c, i == 0), add(y + 48, d, i == 0);
    }
    finish(y, bias);
}

// The instruction takes one operand without a sign: x + 128, which adds 128 times the column's sum.
__attribute__((target("avx512f,avx512vnni"))) static void integers(const int8_t *w, int64_t inputs, const int8_t *x, int32_t *y, const int32_t *sums) {
    __m512i a = _mm512_loadu_si512(sums), b = _mm512_loadu_si512(sums + 16);
    __m512i c = _mm512_loadu_si512(sums + 32), d = _mm512_loadu_si512(sums + 48);
    for (int64_t i = 0; i < inputs; i += 4, w += 4 * KD_BLOCK_COLUMNS) {
        uint32_t four;
        __builtin_memcpy(&four, x + i, sizeof four);
        __m512i v = _mm512_set1_epi32((int32_t)(four ^ 0x80808080u));
        a = _mm512_dpbusd_epi32(a, v, _mm512_loadu_si512(w));
        b = _mm512_dpbusd_epi32(b, v, _mm512_loadu_si512(w + 64));
        c = _mm512_dpbusd_epi32(c, v, _mm512_loadu_si512(w + 128));
        d = _mm512_dpbusd_epi32(d, v, _mm512_loadu_si512(w + 192));
    }
    _mm512_storeu_si512(y, a), _mm512_storeu_si512(y + 16, b), _mm512_storeu_si512(y + 32, c), _mm512_storeu_si512(y + 48, d);
}

void kd_row_product(kd_precision precision, const void *weights, int64_t inputs, int64_t outputs, int64_t first, int64_t end, const void *x,
                    void *y, const float *bias) {
    for (int64_t block = first; block < end; block++) {
        int64_t column = block * KD_BLOCK_COLUMNS, before = column * inputs;
        const float *shift = bias ? bias + column : NULL;
        switch (precision) {
        case KD_F32: floats((const float *)weights + before, inputs, x, (float *)y + column, shift); break;
        case KD_BF16: halves((const uint16_t *)weights + before, inputs, x, (float *)y + column, shift); break;
        case KD_S8: {
            const int32_t *sums = (const int32_t *)((const int8_t *)weights + inputs * outputs);
            integers((const int8_t *)weights + before, inputs, x, (int32_t *)y + column, sums + column);
            break;
        }
        }
    }
}
#else
bool kd_row_product_fits(kd_precision precision, int64_t inputs, int64_t outputs, size_t bytes) {
    (void)precision, (void)inputs, (void)outputs, (void)bytes;
    return false;
}

void kd_row_product(kd_precision precision, const void *weights, int64_t inputs, int64_t outputs, int64_t first, int64_t end, const void *x,
                    void *y, const float *bias) {
    (void)precision, (void)weights, (void)inputs, (void)outputs, (void)first, (void)end, (void)x, (void)y, (void)bias;
}
#endif
