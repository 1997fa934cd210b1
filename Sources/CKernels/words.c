#include "CKernelsWords.h"
#include "elementary.h"

typedef float lanes __attribute__((vector_size(4 * KT_WORDS_LANES)));

static inline __attribute__((always_inline)) float lane_sum(const lanes *s) {
    float part[KT_WORDS_LANES];
    memcpy(part, s, sizeof part);
    for (int width = KT_WORDS_LANES / 2; width > 0; width /= 2)
        for (int i = 0; i < width; i++) part[i] += part[i + width];
    return part[0];
}

#define GROUP 8

// `n` is a constant where this is inlined for usual widths, so that x stays in registers.
static inline __attribute__((always_inline)) double step(
    lanes *x, lanes *output, int64_t n, const uint32_t *targets, int64_t count, int64_t group, float rate, float limit,
    int32_t skips, int32_t loss) {
    double total = 0;
    if (group > GROUP) group = GROUP;
    for (int64_t first = 0; first < count; first += group) {
        int64_t size = count - first < group ? count - first : group;
        float score[GROUP] = {0}, label[GROUP] = {0}, gradient[GROUP];
        for (int64_t k = 0; k < size; k++) {
            const lanes *o = output + (int64_t)(targets[first + k] >> 1) * n;
            // The next groups' rows, while this one is computed.
            if (first + k + group < count) {
                const char *next = (const char *)(output + (int64_t)(targets[first + k + group] >> 1) * n);
                for (int64_t i = 0; i < n; i++) __builtin_prefetch(next + 64 * i, 1);
            }
            lanes a = x[0] * o[0], b = {0};
            for (int64_t i = 1; i + 1 < n; i += 2) {
                b += x[i] * o[i];
                a += x[i + 1] * o[i + 1];
            }
            if (n > 1 && n % 2 == 0) b += x[n - 1] * o[n - 1];
            a += b;
            score[k] = lane_sum(&a);
            label[k] = (float)(targets[first + k] & 1);
        }
        for (int k = 0; k < GROUP; k++) {
            float s = score[k];
            float p = 1.0f / (1.0f + kt_exp_f(-s));
            p = s > limit ? 1.0f : s < -limit ? 0.0f : p;
            gradient[k] = (label[k] - p) * rate;
            gradient[k] = skips && (s >= limit || s <= -limit) ? 0.0f : gradient[k];
        }
        if (loss)
            for (int64_t k = 0; k < size; k++) {
                double s = label[k] > 0 ? score[k] : -score[k];
                total += s > 30 ? 0 : log1p(exp(-s));
            }
        for (int64_t i = 0; i < n; i++) {
            lanes old = x[i], sum = {0};
            for (int64_t k = 0; k < size; k++) {
                lanes *o = output + (int64_t)(targets[first + k] >> 1) * n + i;
                lanes value = *o;
                sum += gradient[k] * value;
                *o = value + gradient[k] * old;
            }
            x[i] = old + sum;
        }
    }
    return total;
}

KT_CLONES
double kt_words_step(float *x, float *output, int64_t stride, const uint32_t *targets, int64_t count, int64_t group, float rate,
                     float limit, int32_t skips, int32_t loss) {
    lanes *a = (lanes *)x, *b = (lanes *)output;
#define CASE(n) case n: return step(a, b, n, targets, count, group, rate, limit, skips, loss);
    switch (stride / KT_WORDS_LANES) {
        CASE(1) CASE(2) CASE(4) CASE(7) CASE(8) CASE(13) CASE(16) CASE(19)
    default: return step(a, b, stride / KT_WORDS_LANES, targets, count, group, rate, limit, skips, loss);
    }
#undef CASE
}

KT_CLONES
void kt_words_mean(const float *table, int64_t stride, const uint32_t *ids, int64_t count, float *x) {
    int64_t n = stride / KT_WORDS_LANES;
    const lanes *rows = (const lanes *)table;
    lanes *y = (lanes *)x;
    float scale = count > 0 ? 1.0f / (float)count : 0.0f;
    for (int64_t k = 0; k < count; k++)
        for (int64_t i = 0; i < n; i++) __builtin_prefetch((const char *)(rows + (int64_t)ids[k] * n + i));
    for (int64_t i = 0; i < n; i++) {
        lanes sum = {0};
        for (int64_t k = 0; k < count; k++) sum += rows[(int64_t)ids[k] * n + i];
        y[i] = sum * scale;
    }
}

KT_CLONES
void kt_words_spread(float *table, int64_t stride, const uint32_t *ids, int64_t count, const float *x, const float *before) {
    int64_t n = stride / KT_WORDS_LANES;
    lanes *rows = (lanes *)table;
    const lanes *a = (const lanes *)x, *b = (const lanes *)before;
    for (int64_t i = 0; i < n; i++) {
        lanes change = a[i] - b[i];
        for (int64_t k = 0; k < count; k++) rows[(int64_t)ids[k] * n + i] += change;
    }
}

KT_CLONES
void kt_words_add_difference(float *row, int64_t stride, const float *x, const float *before) {
    int64_t n = stride / KT_WORDS_LANES;
    lanes *y = (lanes *)row;
    const lanes *a = (const lanes *)x, *b = (const lanes *)before;
    for (int64_t i = 0; i < n; i++) y[i] += a[i] - b[i];
}

KT_CLONES
void kt_words_scatter(float *table, int64_t stride, const uint32_t *parts, const int64_t *starts, int64_t slots, uint32_t residue,
                      uint32_t mask, const float *x, const float *before) {
    int64_t n = stride / KT_WORDS_LANES;
    lanes *rows = (lanes *)table;
    for (int64_t s = 0; s < slots; s++) {
        const lanes *a = (const lanes *)x + s * n, *b = (const lanes *)before + s * n;
        for (int64_t k = starts[s]; k < starts[s + 1]; k++) {
            if ((parts[k] & mask) != residue) continue;
            lanes *y = rows + (int64_t)parts[k] * n;
            for (int64_t i = 0; i < n; i++) y[i] += a[i] - b[i];
        }
    }
}
