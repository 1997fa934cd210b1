// Best scores, scans and rows of the analyses.
#include "CKernels.h"
#include "check.h"
#include <math.h>
#include <string.h>

static void test_keys(void) {
    begin("kt_best_key", SAME, 0);
    // Larger scores first, and of equal ones the lower id.
    const float scores[] = {-INFINITY, -2.5f, -0.0f, 0.0f, 1e-40f, 3, INFINITY};
    for (int i = 0; i < COUNT(scores); i++)
        for (int j = 0; j < COUNT(scores); j++) {
            expect_integer(kt_best_key(scores[i], 7) > kt_best_key(scores[j], 7), scores[i] > scores[j]);
            expect_integer(kt_best_key(scores[i], 7) > kt_best_key(scores[j], 8), scores[i] >= scores[j]);
        }
    for (int i = 0; i < COUNT(scores); i++) {
        begin("kt_best_score", SAME, 0);
        expect_one((double)kt_best_score(kt_best_key(scores[i], 0xFFFFFFF0u)), (double)scores[i]);
        begin("kt_best_id", SAME, 0);
        expect_integer(kt_best_id(kt_best_key(scores[i], 0xFFFFFFF0u)), 0xFFFFFFF0u);
    }
}

static int sorts_before(const float *scores, int64_t a, int64_t b) { return scores[a] > scores[b] || (scores[a] == scores[b] && a < b); }

static void test_best(void) {
    const int64_t widths[] = {1, 7, 17, 63, 64, 65, 200, 1000}, wanted[] = {1, 3, 17, 40};
    for (int at = 0; at < COUNT(widths); at++)
        for (int k_at = 0; k_at < COUNT(wanted); k_at++) {
            int64_t columns = widths[at], k = wanted[k_at], rows = 3, stride = columns + 2, capacity = k + KT_BEST_SLACK;
            float *scores = room((size_t)(rows * stride) * sizeof *scores), *thresholds = room((size_t)rows * sizeof *thresholds);
            // Many are equal, and NaN and -infinity never enter.
            for (int64_t i = 0; i < rows * stride; i++)
                scores[i] = below(9) == 0 ? NAN : below(9) == 0 ? -INFINITY : (float)below(100) / 64 - 1;
            uint64_t *keys = room((size_t)(rows * capacity) * sizeof *keys);
            int32_t counts[3] = {0};
            for (int r = 0; r < 3; r++) thresholds[r] = -INFINITY;
            begin("kt_best_offer", SAME, 0);
            int64_t half = columns / 2;
            kt_best_offer(scores, rows, half, stride, 100, k, capacity, keys, counts, thresholds);
            kt_best_offer(scores + half, rows, columns - half, stride, (uint32_t)(100 + half), k, capacity, keys, counts, thresholds);
            for (int r = 0; r < 3; r++) expect_integer(counts[r] <= capacity, 1);
            begin("kt_best_finish", SAME, 0);
            kt_best_finish(rows, k, capacity, keys, counts);
            for (int64_t r = 0; r < rows; r++) {
                int64_t order[1000], n = 0;
                for (int64_t c = 0; c < columns; c++) {
                    if (!(scores[r * stride + c] > -INFINITY)) continue;
                    int64_t place = n++;
                    for (; place > 0 && sorts_before(scores + r * stride, c, order[place - 1]); place--) order[place] = order[place - 1];
                    order[place] = c;
                }
                expect_integer(counts[r], n < k ? n : k);
                for (int64_t i = 0; i < counts[r]; i++)
                    expect_integer((int64_t)keys[r * capacity + i],
                                   (int64_t)kt_best_key(scores[r * stride + order[i]], (uint32_t)(100 + order[i])));
            }
            begin("kt_best_keep", SAME, 0);
            for (int32_t more = 1; more <= KT_BEST_SLACK; more *= 4) {
                uint64_t given[200], want[200];
                int32_t count = (int32_t)k + more, kept = 0;
                for (int32_t i = 0; i < count; i++) given[i] = kt_best_key((float)number(), (uint32_t)i);
                for (int32_t i = 0; i < count; i++) {
                    int64_t better = 0;
                    for (int32_t j = 0; j < count; j++) better += given[j] > given[i];
                    if (better < k) want[kept++] = given[i];
                }
                kt_best_keep(k, given, &count);
                expect_integer(count, k);
                expect_bytes(given, want, (size_t)k * sizeof *want);
            }
            tidy();
        }
}

static void test_scans(int64_t width) {
    enum { QUERIES = 2, VECTORS = 9 };
    float *queries = numbers_f(QUERIES * width, 1), *rows = numbers_f(VECTORS * width, 3),
        *scores = room(QUERIES * VECTORS * sizeof *scores);
    float *norms = room(VECTORS * sizeof *norms);
    uint8_t valid[VECTORS] = {1, 1, 1, 0, 1, 1, 1, 1, 1};
    double want[QUERIES * VECTORS];
    // A row of zeros, one whose squares underflow and one whose squares overflow.
    for (int64_t c = 0; c < width; c++) rows[4 * width + c] = 0, rows[5 * width + c] *= 1e-25f, rows[6 * width + c] *= 1e25f;
    for (int64_t r = 0; r < VECTORS; r++) {
        double squares = 0;
        for (int64_t c = 0; c < width; c++) squares += (double)rows[r * width + c] * (double)rows[r * width + c];
        norms[r] = (float)sqrt(squares);
        for (int64_t q = 0; q < QUERIES; q++) {
            double product = 0;
            for (int64_t c = 0; c < width; c++) product += (double)queries[q * width + c] * (double)rows[r * width + c];
            want[q * VECTORS + r] = r == 3 || r == 4 ? -INFINITY : product / sqrt(squares);
        }
    }
    begin("kt_scan_cosines", NEAR, 4e-6);
    expect_integer(kt_scan_cosines(queries, QUERIES, rows, VECTORS, width, NULL, valid, scores), -1);
    expect_f(scores, want, QUERIES * VECTORS);
    expect_integer(kt_scan_cosines(queries, QUERIES, rows, VECTORS, width, norms, valid, scores), -1);
    expect_f(scores, want, QUERIES * VECTORS);
    rows[7 * width + width - 1] = NAN;
    expect_integer(kt_scan_cosines(queries, QUERIES, rows, VECTORS, width, norms, valid, scores), 7);
    rows[6 * width] = INFINITY;
    expect_integer(kt_scan_cosines(queries, QUERIES, rows, VECTORS, width, NULL, valid, scores), 6);

    int16_t *query = room((size_t)width * sizeof *query);
    int8_t *codes = room((size_t)(VECTORS * width));
    float scales[VECTORS] = {0.5f, 0.25f, 0.3f, 1, 0, 1e-3f, 2, 3, 0.7f};
    for (int64_t c = 0; c < width; c++) query[c] = (int16_t)((int32_t)below(2001) - 1000);
    for (int64_t i = 0; i < VECTORS * width; i++) codes[i] = (int8_t)((int32_t)below(255) - 127);
    begin("kt_scan_int8", SAME, 0);
    kt_scan_int8(query, 0.01f, codes, VECTORS, width, scales, valid, scores);
    for (int64_t r = 0; r < VECTORS; r++) {
        int32_t total = 0;
        for (int64_t c = 0; c < width; c++) total += codes[r * width + c] * query[c];
        want[r] = r == 3 || r == 4 ? -INFINITY : (double)((float)total * (0.01f * scales[r]));
    }
    expect_f(scores, want, VECTORS);

    // `width` bits are the bytes of a row here, and the query has three planes.
    int64_t words = (width + 7) / 8;
    uint64_t *planes = room((size_t)(3 * words) * sizeof *planes);
    uint8_t *bits = room((size_t)(VECTORS * width));
    double query_sum = 0;
    for (int64_t i = 0; i < 3 * words; i++) planes[i] = (uint64_t)below(0x40000000) << 34 | below(0x40000000);
    for (int64_t i = 0; i < VECTORS * width; i++) bits[i] = (uint8_t)below(256);
    for (int64_t r = 0; r < VECTORS; r++) want[r] = 0;
    for (int64_t b = 0; b < 8 * width; b++) {
        int64_t u = 0;
        for (int p = 0; p < 3; p++) u += (int64_t)(planes[p * words + b / 64] >> (b % 64) & 1) << p;
        double q = -0.75 + 0.25 * (double)u;
        query_sum += q;
        for (int64_t r = 0; r < VECTORS; r++) want[r] += bits[r * width + b / 8] >> (b % 8) & 1 ? q : -q;
    }
    want[3] = -INFINITY;
    begin("kt_scan_bits", NEAR, 1e-6);
    kt_scan_bits(planes, 3, -0.75f, 0.25f, (float)query_sum, bits, VECTORS, width, valid, scores);
    expect_f(scores, want, VECTORS);
    tidy();
}

static void test_rows(int64_t n) {
    float *x = numbers_f(n, 2), *other = numbers_f(n, 2), *y = room((size_t)n * sizeof *y), *low = room((size_t)n * sizeof *low);
    double *want = zeros(n), *under = zeros(n), *shift = numbers_d(n, 1), *shifted = room((size_t)n * sizeof *shifted), total = 0;
    for (int64_t i = 0; i < n; i++) under[i] = (double)x[i] - ((double)other[i] * 0.5 + 0.25),
        want[i] = (double)x[i] + ((double)other[i] * 0.5 + 0.25);
    begin("kt_scan_bounds", NEAR, 2e-7);
    kt_scan_bounds(x, other, 0.5f, 0.25f, n, low, y);
    expect_f(low, under, n);
    expect_f(y, want, n);
    for (int64_t i = 0; i < n; i++) want[i] = (double)x[i] + 0.25;
    kt_scan_bounds(x, NULL, 0.5f, 0.25f, n, low, y);
    expect_f(y, want, n);

    begin("kt_at_least", SAME, 0);
    int32_t *places = room((size_t)n * sizeof *places), *wanted = room((size_t)n * sizeof *wanted);
    for (int step = -4; step <= 4; step++) {
        int64_t count = 0;
        for (int64_t i = 0; i < n; i++)
            if (x[i] >= (float)step / 2) wanted[count++] = (int32_t)i;
        expect_integer(kt_at_least(x, n, (float)step / 2, places), count);
        expect_bytes(places, wanted, (size_t)count * sizeof *places);
    }
    begin("kt_center_scale", SAME, 0);
    kt_center_scale(x, other, 0.3f, n, y);
    for (int64_t i = 0; i < n; i++) want[i] = (double)((float)(x[i] - other[i]) * 0.3f);
    expect_f(y, want, n);
    kt_center_scale(x, NULL, 0.3f, n, y);
    for (int64_t i = 0; i < n; i++) want[i] = (double)(x[i] * 0.3f);
    expect_f(y, want, n);
    begin("kt_squared_distance", NEAR, 1e-14);
    for (int64_t i = 0; i < n; i++) total += ((double)x[i] - (double)other[i]) * ((double)x[i] - (double)other[i]);
    expect_one(kt_squared_distance(x, other, n), total);
    begin("kt_shift_to_double", SAME, 0);
    kt_shift_to_double(x, shift, n, shifted);
    for (int64_t i = 0; i < n; i++) want[i] = (double)x[i] - shift[i];
    expect_d(shifted, want, n);
    tidy();
}

void test_search(void) {
    test_keys();
    test_best();
    EACH_SIZE(n) {
        test_scans(n);
        test_rows(n);
    }
}
