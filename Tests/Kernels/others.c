// Numbers of fewer bits, word vectors, and random numbers by counter.
#include "CKernels.h"
#include "check.h"
#include <math.h>
#include <string.h>

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

static void test_bfloat16(void) {
    begin("kt_f32_to_bf16", SAME, 0);
    const uint32_t bits[] = {0x3F800000, 0x3F808000, 0x3F818000, 0x3F808001, 0x3F807FFF, 0x7F7FFFFF, 0x7F800000, 0xFF800000, 0x7F800001,
                             0xFFFFFFFF, 0x00000001, 0x80000000};
    const uint16_t want[] = {0x3F80, 0x3F80, 0x3F82, 0x3F81, 0x3F80, 0x7F80, 0x7F80, 0xFF80, 0x7FC0, 0xFFFF, 0x0000, 0x8000};
    uint16_t got[COUNT(bits)];
    for (int64_t n = 1; n <= COUNT(bits); n++) {
        float x[COUNT(bits)];
        memcpy(x, bits, sizeof bits);
        kt_f32_to_bf16(x, n, got);
        expect_bytes(got, want, (size_t)n * sizeof *got);
    }
    EACH_SIZE(n) {
        float *x = numbers_f(n, 3);
        uint16_t *y = room((size_t)n * sizeof *y), *near = room((size_t)n * sizeof *near);
        for (int64_t i = 0; i < n; i++) {
            uint32_t whole;
            memcpy(&whole, x + i, 4);
            uint32_t rest = whole & 0xFFFF;
            near[i] = (uint16_t)((whole >> 16) + (rest > 0x8000 || (rest == 0x8000 && (whole >> 16 & 1))));
        }
        kt_f32_to_bf16(x, n, y);
        expect_bytes(y, near, (size_t)n * sizeof *y);
        tidy();
    }
}

// Integers may differ by the one next to a tie, so what is compared is the number that they stand for, to half a step and a little.
static void expect_codes(const int8_t *q, const float *scales, const float *offsets, const double *x, int64_t rows, int64_t columns) {
    double *steps = zeros(rows), *errors = zeros(rows);
    for (int64_t r = 0; r < rows; r++) {
        double low = x[r * columns], high = low;
        for (int64_t c = 0; c < columns; c++) low = fmin(low, x[r * columns + c]), high = fmax(high, x[r * columns + c]);
        steps[r] = (high - low) / 254;
        for (int64_t c = 0; c < columns; c++)
            errors[r] = fmax(errors[r], fabs((double)scales[r] * q[r * columns + c] + (double)offsets[r] - x[r * columns + c]));
        expect_integer(errors[r] <= 0.505 * steps[r] + 4e-6, 1);
    }
    if (columns > 1) expect_f(scales, steps, rows);
}

static void test_quantized(int64_t n) {
    enum { ROWS = 3 };
    int64_t columns = 2 * n;
    float *x = numbers_f(ROWS * n, 3), scales[ROWS], offsets[ROWS], *y = room((size_t)(ROWS * columns) * sizeof *y);
    int8_t *q = room((size_t)(ROWS * columns));
    double *wide = zeros(ROWS * columns);
    for (int64_t i = 0; i < ROWS * n; i++) wide[i] = (double)x[i];
    begin("kt_quantize_rows", NEAR, 1e-6);
    kt_quantize_rows(x, ROWS, n, q, scales, offsets);
    expect_codes(q, scales, offsets, wide, ROWS, n);
    // A row of equal numbers is its offset.
    for (int64_t i = 0; i < n; i++) x[i] = 0.375f;
    kt_quantize_rows(x, 1, n, q, scales, offsets);
    for (int64_t i = 0; i < n; i++) expect_integer(q[i], 0);
    expect_one((double)offsets[0], 0.375);
    expect_one((double)scales[0], 0);

    float *of_columns = numbers_f(columns, 1e-2), *sums = numbers_f(columns, 1), *bias = numbers_f(columns, 1),
        *scratch = numbers_f(columns, 1);
    int32_t *sums_of_products = room((size_t)(ROWS * columns) * sizeof *sums_of_products);
    for (int64_t i = 0; i < ROWS * columns; i++) sums_of_products[i] = (int32_t)below(200001) - 100000;
    const float row_scales[ROWS] = {0.01f, 0.002f, 0.03f}, row_offsets[ROWS] = {0.5f, -0.25f, 0};
    for (int has_bias = 0; has_bias < 2; has_bias++) {
        kt_dequantization how = {columns, of_columns, sums, has_bias ? bias : NULL, KT_SILU};
        for (int64_t i = 0; i < ROWS * columns; i++) {
            int64_t r = i / columns, c = i % columns;
            double product = (double)sums_of_products[i] * (double)row_scales[r] * (double)of_columns[c];
            wide[i] = product + (double)row_offsets[r] * (double)sums[c] + (has_bias ? (double)bias[c] : 0);
        }
        begin("kt_dequantize_rows", NEAR, 2e-6);
        how.activation = KT_IDENTITY;
        kt_dequantize_rows(&how, sums_of_products, ROWS, row_scales, row_offsets, y);
        expect_f(y, wide, ROWS * columns);
        how.activation = KT_SILU;
        for (int64_t i = 0; i < ROWS * columns; i++) wide[i] *= sigmoid(wide[i]);
        int32_t *own = room((size_t)(ROWS * columns) * sizeof *own);
        memcpy(own, sums_of_products, (size_t)(ROWS * columns) * sizeof *own);
        kt_dequantize_rows(&how, own, ROWS, row_scales, row_offsets, (float *)own);
        expect_f((float *)own, wide, ROWS * columns);
        begin("kt_requantize_rows", NEAR, 4e-6);
        kt_requantize_rows(&how, 0, sums_of_products, ROWS, row_scales, row_offsets, q, scales, offsets, scratch);
        expect_codes(q, scales, offsets, wide, ROWS, columns);
        // The right half is left as it was before the activation.
        double *gated = zeros(ROWS * n);
        for (int64_t i = 0; i < ROWS * n; i++) {
            int64_t r = i / n, c = i % n + n, at = r * columns + c;
            double right = (double)sums_of_products[at] * (double)row_scales[r] * (double)of_columns[c];
            right += (double)row_offsets[r] * (double)sums[c];
            gated[i] = wide[r * columns + i % n] * (right + (has_bias ? (double)bias[c] : 0));
        }
        kt_requantize_rows(&how, 1, sums_of_products, ROWS, row_scales, row_offsets, q, scales, offsets, scratch);
        expect_codes(q, scales, offsets, gated, ROWS, n);
    }
    tidy();
}

static void test_halves(void) {
    begin("kt_attention_halves", NEAR, 2e-2);
    int can_run = 1;
#if defined(__x86_64__)
    can_run = __builtin_cpu_supports("avx512bf16") != 0;
#endif
    const int64_t offsets[] = {0, 1, 10, 43}, heads = 2, size = 16, tokens = 43, stride = heads * size;
    const int32_t masks[] = {KT_MASK_NONE, KT_MASK_CAUSAL, KT_MASK_CAUSAL_WINDOW};
    for (int at = 0; at < COUNT(masks); at++) {
        kt_attention_shape shape = {.query_offsets = offsets, .key_offsets = offsets, .segments = 3, .heads = heads, .head_size = size,
                                    .key_group = 1, .q_stride = stride, .k_stride = stride, .v_stride = stride, .out_stride = stride,
                                    .window = 6, .mask = masks[at]};
        double *q = numbers_d(tokens * stride, 1), *k = numbers_d(tokens * stride, 1), *v = numbers_d(tokens * stride, 1),
            *want = zeros(tokens * stride);
        float *narrow[4], *scratch = room((size_t)kt_attention_scratch(33, 33, size) * sizeof *scratch);
        double *wide_scratch = zeros(kt_attention_scratch(33, 33, size)), *wide[3] = {q, k, v};
        for (int i = 0; i < 4; i++) narrow[i] = room((size_t)(tokens * stride) * sizeof **narrow);
        for (int i = 0; i < 3; i++)
            for (int64_t j = 0; j < tokens * stride; j++) narrow[i][j] = (float)wide[i][j];
        // The double kernel, which typed.inc compares with plain loops.
        kt_attention_d(&shape, q, k, v, NULL, 0.25, want, NULL, wide_scratch);
        // Where the processor cannot, a zero keeps the kernel in the list.
        if (can_run) {
            kt_attention_halves(&shape, narrow[0], narrow[1], narrow[2], 0.25f, narrow[3], scratch);
            expect_f(narrow[3], want, tokens * stride);
        } else
            expect_one(0, 0);
        tidy();
    }
}

static void test_words(void) {
    const int64_t strides[] = {16, 32, 48, 80, 112, 304};
    enum { ROWS = 12 };
    for (int at = 0; at < COUNT(strides); at++)
        for (int variant = 0; variant < 4; variant++) {
            int64_t n = strides[at];
            float *x = numbers_f(n, 0.5), *output = numbers_f(ROWS * n, 0.5), *before = numbers_f(n, 0.5), *table = numbers_f(ROWS * n, 1);
            double *wx = zeros(n), *wo = zeros(ROWS * n), loss = 0;
            for (int64_t i = 0; i < n; i++) wx[i] = (double)x[i];
            for (int64_t i = 0; i < ROWS * n; i++) wo[i] = (double)output[i];
            // Groups of five, of which the last is not full; no row twice in a group. Rows 10 and 11 score far beyond the limit.
            uint32_t targets[8] = {1, 4, 6, 2 * 10, 2 * 11 + 1, 8, 2 * 10 + 1, 15};
            for (int64_t i = 0; i < n; i++) {
                output[10 * n + i] = (float)(wo[10 * n + i] = wx[i] * 64);
                output[11 * n + i] = (float)(wo[11 * n + i] = wx[i] * -64);
            }
            for (int64_t first = 0; first < 8; first += 5) {
                double *old = zeros(n);
                memcpy(old, wx, (size_t)n * sizeof *old);
                for (int64_t t = first; t < first + 5 && t < 8; t++) {
                    double score = 0, label = targets[t] & 1, *row = wo + (targets[t] >> 1) * n;
                    for (int64_t i = 0; i < n; i++) score += old[i] * row[i];
                    double p = score > 6 ? 1 : score < -6 ? 0 : sigmoid(score),
                        gradient = (variant & 1) && fabs(score) >= 6 ? 0 : 0.05 * (label - p);
                    loss += label > 0 ? log1p(exp(-score)) : log1p(exp(score));
                    for (int64_t i = 0; i < n; i++) wx[i] += gradient * row[i], row[i] += gradient * old[i];
                }
            }
            begin("kt_words_step", NEAR, 2e-6);
            double got = kt_words_step(x, output, n, targets, 8, 5, 0.05f, 6, variant & 1, variant & 2);
            expect_f(x, wx, n);
            expect_f(output, wo, ROWS * n);
            expect_one(got, variant & 2 ? loss : 0);

            const uint32_t ids[] = {3, 0, 7, 3};
            begin("kt_words_mean", SAME, 0);
            kt_words_mean(table, n, ids, 4, x);
            for (int64_t i = 0; i < n; i++) {
                float sum = 0;
                for (int k = 0; k < 4; k++) sum += table[ids[k] * n + i];
                wx[i] = (double)(sum * 0.25f);
            }
            expect_f(x, wx, n);
            for (int64_t i = 0; i < ROWS * n; i++) wo[i] = (double)table[i];
            begin("kt_words_spread", SAME, 0);
            kt_words_spread(table, n, ids, 4, x, before);
            for (int k = 0; k < 4; k++)
                for (int64_t i = 0; i < n; i++) wo[ids[k] * n + i] = (double)((float)wo[ids[k] * n + i] + (float)(x[i] - before[i]));
            expect_f(table, wo, ROWS * n);
            begin("kt_words_add_difference", SAME, 0);
            kt_words_add_difference(table + n, n, x, before);
            for (int64_t i = 0; i < n; i++) wo[n + i] = (double)((float)wo[n + i] + (float)(x[i] - before[i]));
            expect_f(table, wo, ROWS * n);
            const uint32_t parts[] = {1, 2, 5, 5, 9, 4};
            const int64_t starts[] = {0, 2, 2, 6};
            float *slots = numbers_f(3 * n, 1), *slots_before = numbers_f(3 * n, 1);
            begin("kt_words_scatter", SAME, 0);
            kt_words_scatter(table, n, parts, starts, 3, 1, 3, slots, slots_before);
            for (int64_t s = 0; s < 3; s++)
                for (int64_t k = starts[s]; k < starts[s + 1]; k++)
                    for (int64_t i = 0; (parts[k] & 3) == 1 && i < n; i++)
                        wo[parts[k] * n + i] = (double)((float)wo[parts[k] * n + i] + (float)(slots[s * n + i] - slots_before[s * n + i]));
            expect_f(table, wo, ROWS * n);
            tidy();
        }
}

static void test_random(void) {
    begin("kt_philox_block", SAME, 0);
    // Published with Random123: kat_vectors.
    const struct { uint32_t counter[4]; uint64_t key; uint32_t want[4]; } known[] = {
        {{0, 0, 0, 0}, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, ~0ull, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (int i = 0; i < COUNT(known); i++) {
        uint32_t out[4];
        kt_philox_block(known[i].counter, known[i].key, out);
        expect_bytes(out, known[i].want, sizeof out);
    }
    EACH_SIZE(n) {
        double *out = room((size_t)(4 * n) * sizeof *out), *want = zeros(4 * n);
        for (int64_t j = 0; j < n; j++) {
            uint32_t counter[4] = {(uint32_t)j, 1, 2, 3}, x[4];
            kt_philox_block(counter, 0xFEDCBA9876543210u, x);
            for (int pair = 0; pair < 2; pair++) {
                double radius = sqrt(-2 * log(((double)x[2 * pair] + 0.5) / 0x1p32)),
                    turn = 2 * 3.14159265358979323846 * (double)x[2 * pair + 1] / 0x1p32;
                want[j + 2 * pair * n] = radius * cos(turn);
                want[j + (2 * pair + 1) * n] = radius * sin(turn);
            }
        }
        begin("kt_philox_normals", SAME, 1e-12);
        kt_philox_normals(0xFEDCBA9876543210u, 1, 2, 3, out, n);
        expect_d(out, want, 4 * n);

        const int32_t from[] = {4, 0, 2};
        double *a = numbers_d(5 * n, 1), *net = room((size_t)n * sizeof *net), *noise = numbers_d(n, 1), weights[] = {0.3, -0.7, 1.1};
        for (int64_t i = 0; i < n; i++) {
            want[i] = 0;
            for (int e = 0; e < 3; e++) want[i] += weights[e] * a[from[e] * n + i];
        }
        begin("kt_spread_net", SAME, 0);
        kt_spread_net(from, weights, 3, a, n, net);
        expect_d(net, want, n);
        begin("kt_spread_step", SAME, 0);
        for (int64_t i = 0; i < n; i++) {
            double x = 0.6 * a[i] + net[i];
            want[i] = x + sqrt(0.01 + 0.3 * (x * x)) * noise[i];
            want[n + i] = 0.6 * want[i] + net[i];
        }
        kt_spread_step(a, net, noise, 0.6, 0.01, 0.3, n);
        expect_d(a, want, n);
        kt_spread_step(a, net, NULL, 0.6, 0.01, 0.3, n);
        expect_d(a, want + n, n);
        tidy();
    }
}

void test_others(void) {
    test_bfloat16();
    EACH_SIZE(n) test_quantized(n);
    test_halves();
    test_words();
    test_random();
}
