#include "CKernels.h"
#include "elementary.h"

#define INLINE static inline __attribute__((always_inline))

INLINE void quantize_row(const float *restrict x, int64_t columns, int8_t *restrict q, float *scale, float *offset) {
#pragma clang fp reassociate(on) contract(fast)
    // Sixteen of each at a time: the compiler makes no vector loop of a single running minimum.
    float lows[16], highs[16], low = x[0], high = x[0];
    int64_t column = 0;
    for (int l = 0; l < 16; l++) lows[l] = highs[l] = low;
    for (; column + 16 <= columns; column += 16)
        for (int l = 0; l < 16; l++) {
            float value = x[column + l];
            lows[l] = value < lows[l] ? value : lows[l];
            highs[l] = value > highs[l] ? value : highs[l];
        }
    for (int l = 0; l < 16; l++) {
        low = lows[l] < low ? lows[l] : low;
        high = highs[l] > high ? highs[l] : high;
    }
    for (; column < columns; column++) {
        low = x[column] < low ? x[column] : low;
        high = x[column] > high ? x[column] : high;
    }
    float step = (high - low) * (1.0f / 254.0f), middle = low + 0.5f * (high - low);
    // A row of equal values is its offset; so is one whose range no float step divides.
    float inverse = step > 1e-30f ? 1.0f / step : 0.0f;
    for (int64_t c = 0; c < columns; c++) q[c] = (int8_t)(int32_t)__builtin_rintf((x[c] - middle) * inverse);
    *scale = step;
    *offset = middle;
}

// Sums in 32 bits may lie where their floats will.
typedef int32_t sum_in_place __attribute__((may_alias));
#define IN_PLACE _Pragma("clang loop vectorize(assume_safety)")

INLINE void dequantize_row(const kt_dequantization *how, const sum_in_place *acc, float scale, float offset, float *y) {
#pragma clang fp contract(fast)
    const float *scales = how->column_scales, *sums = how->column_sums, *bias = how->bias;
    int64_t columns = how->columns;
    if (bias) {
        IN_PLACE
        for (int64_t c = 0; c < columns; c++) y[c] = (float)acc[c] * (scale * scales[c]) + (offset * sums[c] + bias[c]);
    } else {
        IN_PLACE
        for (int64_t c = 0; c < columns; c++) y[c] = (float)acc[c] * (scale * scales[c]) + offset * sums[c];
    }
}

KT_CLONES
void kt_quantize_rows(const float *x, int64_t rows, int64_t columns, int8_t *q, float *scales, float *offsets) {
    for (int64_t r = 0; r < rows; r++) quantize_row(x + r * columns, columns, q + r * columns, scales + r, offsets + r);
}

KT_CLONES
void kt_quantize_weights(const float *w, int64_t outputs, int64_t inputs, int64_t stride, int8_t *q, float *scales, float *sums) {
#pragma clang fp reassociate(on)
    for (int64_t o = 0; o < outputs; o++) {
        const float *row = w + o * stride;
        int8_t *to = q + o * inputs;
        // The bits of floats without a sign are in the order of the floats, and the compiler makes a vector loop of this.
        int32_t most = 0;
        for (int64_t i = 0; i < inputs; i++) {
            int32_t bits;
            memcpy(&bits, row + i, 4);
            bits &= 0x7FFFFFFF;
            most = bits > most ? bits : most;
        }
        float largest;
        memcpy(&largest, &most, 4);
        float step = largest > 0 ? largest / 127 : 1;
        int32_t sum = 0;
        for (int64_t i = 0; i < inputs; i++) {
            float value = __builtin_rintf(row[i] / step);
            value = value > 127 ? 127 : value < -127 ? -127 : value;
            int32_t integer = (int32_t)value;
            to[i] = (int8_t)integer;
            sum += integer;
        }
        scales[o] = step;
        sums[o] = step * (float)sum;
    }
}

KT_CLONES
double kt_rounding_loss(const float *x, int64_t n, float scale, float offset) {
#pragma clang fp reassociate(on) contract(fast)
    float inverse = scale > 1e-30f ? 1.0f / scale : 0.0f;
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        float value = x[i] - offset, left = value - scale * __builtin_rintf(value * inverse);
        sum += (double)left * (double)left;
    }
    return __builtin_sqrt(sum);
}

KT_CLONES
void kt_dequantize_rows(const kt_dequantization *how, const int32_t *acc, int64_t rows, const float *scales,
                        const float *offsets, float *y) {
    int64_t columns = how->columns;
    for (int64_t r = 0; r < rows; r++) {
        dequantize_row(how, acc + r * columns, scales[r], offsets[r], y + r * columns);
        if (how->activation != KT_IDENTITY) kt_activate_f(how->activation, y + r * columns, columns, y + r * columns);
    }
}

KT_CLONES
void kt_requantize_rows(const kt_dequantization *how, int32_t gated, const int32_t *acc, int64_t rows, const float *scales,
                        const float *offsets, int8_t *q, float *new_scales, float *new_offsets, float *scratch) {
    int64_t columns = how->columns, width = gated ? columns / 2 : columns;
    for (int64_t r = 0; r < rows; r++) {
        dequantize_row(how, acc + r * columns, scales[r], offsets[r], scratch);
        kt_activate_f(how->activation, scratch, width, scratch);
        if (gated)
            for (int64_t c = 0; c < width; c++) scratch[c] *= scratch[width + c];
        quantize_row(scratch, width, q + r * width, new_scales + r, new_offsets + r);
    }
}
