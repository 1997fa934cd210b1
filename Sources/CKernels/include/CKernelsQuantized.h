// Between float and numbers of fewer bits. Included by CKernels.h.
#pragma once
#include <stdint.h>

// MARK: 16 bits

// Rounds to nearest even.
void kt_f32_to_bf16(const float *x, int64_t n, uint16_t *y);

// MARK: 8-bit integers of a quantized product: value = scale * q + offset, one scale and offset a row

// Each row of x by its own range: scale = (largest - smallest) / 254, offset in the middle, q in -127 ... 127.
void kt_quantize_rows(const float *x, int64_t rows, int64_t columns, int8_t *q, float *scales, float *offsets);
// Each of `outputs` rows of weights, `stride` floats apart, about zero: scale = |largest| / 127, sums = scale * sum of q.
void kt_quantize_weights(const float *w, int64_t outputs, int64_t inputs, int64_t stride, int8_t *q, float *scales, float *sums);
// The length of what rounding to offset + scale * q takes from x, summed in double.
double kt_rounding_loss(const float *x, int64_t n, float scale, float offset);

// What a product of quantized operands has to be put through to be a number again.
typedef struct {
    int64_t columns;
    const float *column_scales;  // of the weights
    const float *column_sums;    // of the weights as the integers stand for them: what an offset adds
    const float *bias;           // may be NULL
    int32_t activation;
} kt_dequantization;

// y (rows x columns, may be acc itself) = f(acc * row scale * column scale + offset * column sum + bias).
void kt_dequantize_rows(const kt_dequantization *how, const int32_t *acc, int64_t rows, const float *scales,
                        const float *offsets, float *y);
// The same, quantized again at once for the next product; scratch: columns floats; new_scales may be scales.
// gated: f(left half) * right half, so that q has half the columns.
void kt_requantize_rows(const kt_dequantization *how, int32_t gated, const int32_t *acc, int64_t rows, const float *scales,
                        const float *offsets, int8_t *q, float *new_scales, float *new_offsets, float *scratch);
