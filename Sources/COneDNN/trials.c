#define _GNU_SOURCE
#include "engine.h"
#include <stdlib.h>
#include <time.h>

// A tile of few rows costs as much as a full one, and one thread reads weights more slowly than two. Where the library's kernels round alike
// at both heights, the last rows take a lower tile; where they round alike in both widths, threads share the columns; where they add up in the
// order of single_row.c, one row takes that. All of it is found out on random numbers, once a shape has come often enough to repay the trial.
static const int64_t lower_heights[] = {1, 4, 8, 16, 32};
enum { MOST_PARTS = 4, SMALLEST_PART = 256, LARGE_MATRIX = 1 << 19 };
enum { TRIED_AFTER = 4, SYNTHETIC_BYTES = 1 << 25, COMPARED_VALUES = 4096 };

static void fill_random(void *to, size_t count, int precision, uint32_t seed) {
    uint32_t x = seed;
    for (size_t i = 0; i < count; i++) {
        x = x * 1664525u + 1013904223u;
        float number = (float)(int32_t)(x & 0xFFFFFF00u) * 0x1p-31f;
        uint32_t bits;
        memcpy(&bits, &number, 4);
        if (precision == KD_F32) ((float *)to)[i] = number;
        else if (precision == KD_BF16) ((uint16_t *)to)[i] = (uint16_t)(bits >> 16);
        else ((uint8_t *)to)[i] = (uint8_t)(x >> 24);
    }
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// What a trial multiplies: random rows of one full tile by the matrix, and two results to compare.
typedef struct {
    kd_matrix matrix;
    char *in, *usual, *other;
    void *random;
    const float *bias;
} bench;

static bool set_up(bench *b, thread_state *state, const kd_matrix *matrix) {
    size_t size = kd_operand_size(matrix->precision), out_bytes = KD_TILE_ROWS * (size_t)matrix->outputs * 4;
    *b = (bench){.matrix = *matrix};
    b->in = kd_at_least(&state->tile_in, &state->tile_in_size, KD_TILE_ROWS * (size_t)matrix->inputs * size);
    b->usual = kd_at_least(&state->tile_out, &state->tile_out_size, out_bytes);
    b->other = malloc(out_bytes);
    b->bias = kd_zeros(state, matrix->outputs);
    // Weights of their own where that is cheap: those at hand may be too simple to tell one order of summation from another.
    if (matrix->precision != KD_S8 && matrix->bytes <= SYNTHETIC_BYTES && (b->random = aligned_alloc(64, (matrix->bytes + 63) / 64 * 64))) {
        fill_random(b->random, matrix->bytes / size, matrix->precision, 54321);
        b->matrix.data = b->random;
    }
    return b->in && b->usual && b->other && b->bias;
}

static void clear(bench *b) {
    free(b->other);
    free(b->random);
}

static bool multiply_tile(thread_state *state, const bench *b, const shape_key *key, const kd_matrix *part, char *out) {
    product *p = kd_product_for(state, key);
    return p && kd_execute(state, p, b->in, part->data, out, b->bias) == 0;
}

static bool multiply_row(const bench *b) {
    const kd_matrix *matrix = &b->matrix;
    kd_row_product(matrix->precision, matrix->data, matrix->inputs, matrix->outputs, 0, matrix->outputs / KD_BLOCK_COLUMNS, b->in, b->other,
                   b->bias);
    return true;
}

// Whether the first rows of a full tile are, bit for bit, what a lower tile gives, and sooner; without one, whether the first row is what our
// own product gives. Two orders of summation round alike in one random number out of a few, so thousands of equal ones are proof enough.
static bool rounds_alike(thread_state *state, const kd_matrix *matrix, const shape_key *lower) {
    bench b;
    bool alike = set_up(&b, state, matrix);
    double full_time = 0, low_time = 0;
    shape_key full = packed_key(matrix);
    int64_t values = 0, compared = (lower ? lower->m : 1) * matrix->outputs;
    for (uint32_t round = 0; alike && (round < 2 || values < COMPARED_VALUES); round++) {
        fill_random(b.in, KD_TILE_ROWS * (size_t)matrix->inputs, matrix->precision, 12345 + round);
        double begin = seconds();
        alike = multiply_tile(state, &b, &full, &b.matrix, b.usual);
        full_time = seconds() - begin;
        begin = seconds();
        alike = alike && (lower ? multiply_tile(state, &b, lower, &b.matrix, b.other) : multiply_row(&b));
        low_time = seconds() - begin;
        alike = alike && memcmp(b.usual, b.other, (size_t)compared * 4) == 0;
        values += compared;
    }
    clear(&b);
    return alike && (!lower || low_time < full_time);
}

// Whether the parts of the packed weights are packed weights themselves and give the bits of the whole.
static bool cuts_alike(thread_state *state, const kd_matrix *matrix, int parts) {
    if (kd_part_bytes(matrix, parts) * (size_t)parts != matrix->bytes) return false;
    bench b;
    bool alike = set_up(&b, state, matrix);
    shape_key whole = packed_key(matrix);
    if (alike) fill_random(b.in, KD_TILE_ROWS * (size_t)matrix->inputs, matrix->precision, 12345);
    alike = alike && multiply_tile(state, &b, &whole, &b.matrix, b.usual);
    size_t whole_row = (size_t)matrix->outputs * 4, part_row = whole_row / (size_t)parts;
    for (int i = 0; alike && i < parts; i++) {
        kd_matrix part = column_part(&b.matrix, i, parts);
        shape_key key = packed_key(&part);
        alike = multiply_tile(state, &b, &key, &part, b.other);
        for (size_t row = 0; alike && row < KD_TILE_ROWS; row++)
            alike = memcmp(b.usual + row * whole_row + (size_t)i * part_row, b.other + row * part_row, part_row) == 0;
    }
    clear(&b);
    return alike;
}

static trial *trial_of(thread_state *state, const shape_key *key) {
    trial *found = &state->trials[kd_hash_key(key) % CACHED_PRODUCTS];
    if (memcmp(&found->key, key, sizeof *key) != 0) *found = (trial){.key = *key};
    return found;
}

// Whether the shape has now come often enough to be tried.
static bool is_due(trial *trial) { return trial->verdict == UNTRIED && ++trial->wanted > TRIED_AFTER; }

// The height of the tile for the last rows of a product.
int64_t kd_tile_height(thread_state *state, const kd_matrix *matrix, int64_t rows) {
    for (size_t i = 0; i < sizeof lower_heights / sizeof *lower_heights; i++) {
        if (lower_heights[i] < rows) continue;
        shape_key key = packed_key(matrix);
        key.m = lower_heights[i];
        trial *lower = trial_of(state, &key);
        if (is_due(lower)) lower->verdict = rounds_alike(state, matrix, &key) ? EQUAL : DIFFERENT;
        if (lower->verdict == EQUAL) return key.m;
        if (lower->verdict == UNTRIED) break;
    }
    return KD_TILE_ROWS;
}

bool kd_single_row_fits(const kd_matrix *matrix) {
    return kd_row_product_fits(matrix->precision, matrix->inputs, matrix->outputs, matrix->bytes);
}

bool kd_takes_single_row(thread_state *state, const kd_matrix *matrix) {
    shape_key key = packed_key(matrix);
    key.m = 1;
    key.flags |= SINGLE_ROW;
    trial *single = trial_of(state, &key);
    if (is_due(single)) single->verdict = kd_single_row_fits(matrix) && rounds_alike(state, matrix, NULL) ? EQUAL : DIFFERENT;
    return single->verdict == EQUAL;
}

int kd_column_parts(const kd_matrix *matrix, int64_t rows) {
    thread_state *state = kd_current_state();
    int parts = MOST_PARTS;
    while (parts > 1 && matrix->outputs % (parts * SMALLEST_PART) != 0) parts /= 2;
    if (!state || parts == 1 || matrix->inputs * matrix->outputs < LARGE_MATRIX) return 1;
    if (rows == 1 && kd_single_row_fits(matrix)) return kd_takes_single_row(state, matrix) ? parts : 1;
    // Behind 8-bit integers lie sums of their columns, which a part would not find.
    if (matrix->precision == KD_S8) return 1;
    shape_key key = packed_key(matrix);
    key.m = parts;
    key.flags |= CUT;
    trial *cut = trial_of(state, &key);
    if (is_due(cut)) cut->verdict = cuts_alike(state, matrix, parts) ? EQUAL : DIFFERENT;
    return cut->verdict == EQUAL ? parts : 1;
}
