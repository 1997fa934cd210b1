#include "CKernels.h"
#include "elementary.h"

// Float bits in an order that unsigned comparison agrees with; -0 becomes +0 first.
static inline uint64_t best_key(float score, uint32_t id) {
    score += 0.0f;
    uint32_t bits;
    memcpy(&bits, &score, 4);
    bits ^= (bits >> 31) ? 0xFFFFFFFFu : 0x80000000u;
    return ((uint64_t)bits << 32) | (uint32_t)~id;
}

uint64_t kt_best_key(float score, uint32_t id) { return best_key(score, id); }

float kt_best_score(uint64_t key) {
    uint32_t bits = (uint32_t)(key >> 32);
    bits ^= (bits >> 31) ? 0x80000000u : 0xFFFFFFFFu;
    float score;
    memcpy(&score, &bits, 4);
    return score;
}

uint32_t kt_best_id(uint64_t key) { return ~(uint32_t)key; }

static inline void swap_keys(uint64_t *a, uint64_t *b) {
    uint64_t t = *a;
    *a = *b;
    *b = t;
}

// Hoare's partition about the median of three; returns the last index of the upper (better) part. Keys are all different.
static int64_t split(uint64_t *keys, int64_t low, int64_t high) {
    int64_t middle = low + (high - low) / 2;
    if (keys[middle] > keys[low]) swap_keys(keys + middle, keys + low);
    if (keys[high] > keys[low]) swap_keys(keys + high, keys + low);
    if (keys[high] > keys[middle]) swap_keys(keys + high, keys + middle);
    uint64_t pivot = keys[middle];
    int64_t i = low - 1, j = high + 1;
    for (;;) {
        do i++; while (keys[i] > pivot);
        do j--; while (keys[j] < pivot);
        if (i >= j) return j;
        swap_keys(keys + i, keys + j);
    }
}

// Keeps the k largest of n > k keys, in their order; returns the smallest of them. Halving the range of values takes a few passes of
// vector comparisons and no branch that depends on the data, unlike quickselect. Keys are all different.
static inline __attribute__((always_inline)) uint64_t keep_best(uint64_t *keys, int64_t n, int64_t k) {
    uint64_t low = keys[0], high = keys[0];
    for (int64_t i = 1; i < n; i++) {
        low = keys[i] < low ? keys[i] : low;
        high = keys[i] > high ? keys[i] : high;
    }
    while (low < high) {
        // At least k keys are >= low, fewer than k are > high.
        uint64_t middle = low + (high - low) / 2 + 1;
        int64_t above = 0;
        for (int64_t i = 0; i < n; i++) above += keys[i] >= middle;
        if (above >= k) low = middle;
        else high = middle - 1;
        if (above == k) break;
    }
    uint64_t least = ~(uint64_t)0;
    int64_t kept = 0;
    for (int64_t i = 0; i < n; i++) {
        uint64_t key = keys[i];
        keys[kept] = key;
        kept += key >= low;
        least = key >= low && key < least ? key : least;
    }
    return least;
}

static void sort_down(uint64_t *keys, int64_t low, int64_t high) {
    while (high - low > 24) {
        int64_t j = split(keys, low, high);
        if (j - low < high - j) {
            sort_down(keys, low, j);
            low = j + 1;
        } else {
            sort_down(keys, j + 1, high);
            high = j;
        }
    }
    for (int64_t i = low + 1; i <= high; i++) {
        uint64_t key = keys[i];
        int64_t j = i;
        for (; j > low && keys[j - 1] < key; j--) keys[j] = keys[j - 1];
        keys[j] = key;
    }
}

KT_CLONES
void kt_best_offer(const float *scores, int64_t rows, int64_t columns, int64_t stride, uint32_t first_id, int64_t k,
                   int64_t capacity, uint64_t *keys, int32_t *counts, float *thresholds) {
    for (int64_t r = 0; r < rows; r++) {
        const float *row = scores + r * stride;
        uint64_t *mine = keys + r * capacity;
        int64_t count = counts[r];
        float threshold = thresholds[r];
        for (int64_t c = 0; c < columns; c += KT_BEST_SLACK) {
            int64_t width = columns - c < KT_BEST_SLACK ? columns - c : KT_BEST_SLACK;
            int32_t any = 0;
            if (width == KT_BEST_SLACK)
                for (int64_t i = 0; i < KT_BEST_SLACK; i++) any |= row[c + i] > threshold;
            else
                for (int64_t i = 0; i < width; i++) any |= row[c + i] > threshold;
            if (!any) continue;
            if (count + width > capacity) {
                threshold = kt_best_score(keep_best(mine, count, k));
                count = k;
            }
            // Most of the registers of a stretch hold nothing.
            for (int64_t part = c; part < c + width; part += 16) {
                uint32_t hits = 0;
                if (part + 16 <= c + width)
                    for (int i = 0; i < 16; i++) hits |= (uint32_t)(row[part + i] > threshold) << i;
                else
                    for (int i = 0; part + i < c + width; i++) hits |= (uint32_t)(row[part + i] > threshold) << i;
                for (; hits; hits &= hits - 1) {
                    int64_t i = part + __builtin_ctz(hits);
                    mine[count++] = best_key(row[i], first_id + (uint32_t)i);
                }
            }
        }
        counts[r] = (int32_t)count;
        thresholds[r] = threshold;
    }
}

KT_CLONES
void kt_best_finish(int64_t rows, int64_t k, int64_t capacity, uint64_t *keys, int32_t *counts) {
    for (int64_t r = 0; r < rows; r++) {
        uint64_t *mine = keys + r * capacity;
        if (counts[r] > k) {
            keep_best(mine, counts[r], k);
            counts[r] = (int32_t)k;
        }
        if (counts[r] > 1) sort_down(mine, 0, counts[r] - 1);
    }
}

KT_CLONES
void kt_best_keep(int64_t k, uint64_t *keys, int32_t *count) {
    keep_best(keys, *count, k);
    *count = (int32_t)k;
}

KT_CLONES
int64_t kt_at_least(const float *x, int64_t n, float threshold, int32_t *indices) {
    int64_t count = 0, i = 0;
    for (; i + 64 <= n; i += 64) {
        int32_t any = 0;
        for (int64_t j = 0; j < 64; j++) any |= x[i + j] >= threshold;
        if (!any) continue;
        for (int64_t j = 0; j < 64; j++) {
            indices[count] = (int32_t)(i + j);
            count += x[i + j] >= threshold;
        }
    }
    for (; i < n; i++) {
        indices[count] = (int32_t)i;
        count += x[i] >= threshold;
    }
    return count;
}

KT_CLONES
void kt_center_scale(const float *x, const float *center, float scale, int64_t n, float *y) {
    if (center)
        for (int64_t i = 0; i < n; i++) y[i] = (x[i] - center[i]) * scale;
    else
        for (int64_t i = 0; i < n; i++) y[i] = x[i] * scale;
}

KT_CLONES
double kt_squared_distance(const float *x, const float *y, int64_t n) {
#pragma clang fp reassociate(on) contract(fast)
    double total = 0;
    for (int64_t i = 0; i < n; i++) {
        double difference = (double)x[i] - (double)y[i];
        total += difference * difference;
    }
    return total;
}

KT_CLONES
void kt_shift_to_double(const float *x, const double *shift, int64_t n, double *y) {
    for (int64_t i = 0; i < n; i++) y[i] = (double)x[i] - shift[i];
}
