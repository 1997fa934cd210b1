#define _GNU_SOURCE
#include "COneDNN.h"
#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// MARK: Engine and per-thread state

static dnnl_engine_t engine;
static pthread_once_t engine_once = PTHREAD_ONCE_INIT;

static void make_engine(void) {
    if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success) engine = NULL;
}

// What identifies a primitive: everything that goes into its descriptor.
typedef struct {
    int64_t m, n, k, lda, ldb, ldc;
    int32_t precision, flags;
} shape_key;

enum { TRANSPOSE_A = 1, TRANSPOSE_B = 2, ACCUMULATE = 4, PACKED = 8, BIAS = 16, CUT = 32 };

typedef struct {
    shape_key key;
    dnnl_primitive_t primitive;
    dnnl_memory_t source, weights, destination, bias, scratchpad;
} product;

// By hash, in one of a few neighbouring places: shapes that find none free take turns, which costs time and nothing else.
#define CACHED_PRODUCTS 512
#define CACHED_PLACES 4

// Whether another way to multiply, a tile of fewer rows or the columns in parts, gives the bits of the usual one: `wanted` counts how often
// it would have served.
typedef struct {
    shape_key key;
    int wanted;
    enum { UNTRIED, EQUAL, DIFFERENT } verdict;
} trial;

typedef struct {
    dnnl_stream_t stream;
    product products[CACHED_PRODUCTS];
    trial trials[CACHED_PRODUCTS];
    void *tile_in, *tile_out, *scratchpad, *no_bias;
    size_t tile_in_size, tile_out_size, scratchpad_size, no_bias_size;
} thread_state;

static pthread_key_t state_key;
static pthread_once_t state_once = PTHREAD_ONCE_INIT;

static void forget(product *p) {
    if (p->primitive) dnnl_primitive_destroy(p->primitive);
    dnnl_memory_t memories[] = {p->source, p->weights, p->destination, p->bias, p->scratchpad};
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++)
        if (memories[i]) dnnl_memory_destroy(memories[i]);
    memset(p, 0, sizeof *p);
}

static void free_state(void *pointer) {
    thread_state *state = pointer;
    for (int i = 0; i < CACHED_PRODUCTS; i++) forget(&state->products[i]);
    if (state->stream) dnnl_stream_destroy(state->stream);
    free(state->tile_in);
    free(state->tile_out);
    free(state->scratchpad);
    free(state->no_bias);
    free(state);
}

static void make_state_key(void) { pthread_key_create(&state_key, free_state); }

static thread_state *current_state(void) {
    pthread_once(&engine_once, make_engine);
    pthread_once(&state_once, make_state_key);
    thread_state *state = pthread_getspecific(state_key);
    if (state || !engine) return state;
    state = calloc(1, sizeof *state);
    if (!state) return NULL;
    // One library thread per worker thread. The symbol comes with whatever OpenMP runtime oneDNN was linked to.
    void (*set_threads)(int) = (void (*)(int))dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    if (set_threads) set_threads(1);
    if (dnnl_stream_create(&state->stream, engine, dnnl_stream_default_flags) != dnnl_success) {
        free(state);
        return NULL;
    }
    pthread_setspecific(state_key, state);
    return state;
}

static void *at_least(void **buffer, size_t *size, size_t wanted) {
    if (*size < wanted) {
        free(*buffer);
        *buffer = aligned_alloc(64, (wanted + 63) / 64 * 64);
        *size = *buffer ? wanted : 0;
    }
    return *buffer;
}

// MARK: Descriptors

static dnnl_data_type_t operand_type(int precision) {
    return precision == KD_F32 ? dnnl_f32 : precision == KD_BF16 ? dnnl_bf16 : dnnl_s8;
}

static dnnl_data_type_t result_type(int precision) { return precision == KD_S8 ? dnnl_s32 : dnnl_f32; }

static size_t operand_size(int precision) { return precision == KD_F32 ? 4 : precision == KD_BF16 ? 2 : 1; }

// oneDNN 2 has descriptions of matrices as values and a descriptor for each operation; oneDNN 3 has both behind pointers that are made and destroyed.
// What differs stands here; a `matrix_desc` starts as NO_DESC.
#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t matrix_desc;
typedef const_dnnl_memory_desc_t desc_in;
#define NO_DESC NULL
static desc_in in(const matrix_desc *desc) { return *desc; }

static int describe_matrix(matrix_desc *desc, int64_t rows, int64_t columns, dnnl_data_type_t type, int64_t row_stride,
                           int64_t column_stride) {
    dnnl_dims_t dims = {rows, columns}, strides = {row_stride, column_stride};
    return dnnl_memory_desc_create_with_strides(desc, 2, dims, type, strides);
}

static int describe_any(matrix_desc *desc, int64_t rows, int64_t columns, dnnl_data_type_t type) {
    dnnl_dims_t dims = {rows, columns};
    return dnnl_memory_desc_create_with_tag(desc, 2, dims, type, dnnl_format_tag_any);
}

static void drop(matrix_desc *desc) {
    if (*desc) dnnl_memory_desc_destroy(*desc);
    *desc = NULL;
}

static int copy_desc(matrix_desc *to, desc_in from) { return dnnl_memory_desc_clone(to, from); }

static int describe_product(dnnl_primitive_desc_t *chosen, desc_in a, desc_in b, desc_in bias, desc_in c,
                            dnnl_primitive_attr_t attributes) {
    return dnnl_matmul_primitive_desc_create(chosen, engine, a, b, bias, c, attributes);
}

static void add_to_result(dnnl_post_ops_t operations) { dnnl_post_ops_append_sum(operations, 1.0f, 0, dnnl_data_type_undef); }
#else
typedef dnnl_memory_desc_t matrix_desc;
typedef const dnnl_memory_desc_t *desc_in;
#define NO_DESC {0}
static desc_in in(const matrix_desc *desc) { return desc; }

static int describe_matrix(matrix_desc *desc, int64_t rows, int64_t columns, dnnl_data_type_t type, int64_t row_stride,
                           int64_t column_stride) {
    dnnl_dims_t dims = {rows, columns}, strides = {row_stride, column_stride};
    return dnnl_memory_desc_init_by_strides(desc, 2, dims, type, strides);
}

static int describe_any(matrix_desc *desc, int64_t rows, int64_t columns, dnnl_data_type_t type) {
    dnnl_dims_t dims = {rows, columns};
    return dnnl_memory_desc_init_by_tag(desc, 2, dims, type, dnnl_format_tag_any);
}

static void drop(matrix_desc *desc) { (void)desc; }

static int copy_desc(matrix_desc *to, desc_in from) {
    *to = *from;
    return 0;
}

static int describe_product(dnnl_primitive_desc_t *chosen, desc_in a, desc_in b, desc_in bias, desc_in c,
                            dnnl_primitive_attr_t attributes) {
    dnnl_matmul_desc_t desc;
    dnnl_status_t status = dnnl_matmul_desc_init(&desc, a, b, bias, c);
    return status != dnnl_success ? status : dnnl_primitive_desc_create(chosen, &desc, attributes, engine, NULL);
}

static void add_to_result(dnnl_post_ops_t operations) { dnnl_post_ops_append_sum(operations, 1.0f); }
#endif

static dnnl_primitive_desc_t choose(const shape_key *key);

// How the library wants packed weights: as for a full tile, whatever the height of the tile that reads them.
static int packed_layout(const shape_key *key, matrix_desc *wanted) {
    shape_key full = *key;
    full.m = KD_TILE_ROWS;
    dnnl_primitive_desc_t chosen = choose(&full);
    if (!chosen) return -1;
    int bad = copy_desc(wanted, dnnl_primitive_desc_query_md(chosen, dnnl_query_weights_md, 0));
    dnnl_primitive_desc_destroy(chosen);
    return bad ? -1 : 0;
}

// The library's choice of kernel and of weight layout for a shape.
static dnnl_primitive_desc_t choose(const shape_key *key) {
    matrix_desc a = NO_DESC, b = NO_DESC, c = NO_DESC, bias = NO_DESC;
    dnnl_data_type_t type = operand_type(key->precision);
    bool ta = key->flags & TRANSPOSE_A, tb = key->flags & TRANSPOSE_B;
    dnnl_primitive_desc_t chosen = NULL;
    dnnl_primitive_attr_t attributes = NULL;
    int bad = describe_matrix(&a, key->m, key->k, type, ta ? 1 : key->lda, ta ? key->lda : 1);
    if (key->flags & PACKED) bad |= key->m == KD_TILE_ROWS ? describe_any(&b, key->k, key->n, type) : packed_layout(key, &b);
    else bad |= describe_matrix(&b, key->k, key->n, type, tb ? 1 : key->ldb, tb ? key->ldb : 1);
    bad |= describe_matrix(&c, key->m, key->n, result_type(key->precision), key->ldc, 1);
    if (key->flags & BIAS) bad |= describe_matrix(&bias, 1, key->n, dnnl_f32, key->n, 1);
    if (bad || dnnl_primitive_attr_create(&attributes) != dnnl_success) goto done;
    // Our own scratchpad, one a thread: a primitive with the library's may not run on two threads at once.
    dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    if (key->flags & ACCUMULATE) {
        dnnl_post_ops_t add;
        dnnl_post_ops_create(&add);
        add_to_result(add);
        dnnl_primitive_attr_set_post_ops(attributes, add);
        dnnl_post_ops_destroy(add);
    }
    if (describe_product(&chosen, in(&a), in(&b), key->flags & BIAS ? in(&bias) : NULL, in(&c), attributes) != dnnl_success) chosen = NULL;
    dnnl_primitive_attr_destroy(attributes);
done:
    drop(&a);
    drop(&b);
    drop(&c);
    drop(&bias);
    return chosen;
}

static uint64_t hash_key(const shape_key *key) {
    const uint64_t parts[] = {(uint64_t)key->m, (uint64_t)key->n, (uint64_t)key->k, (uint64_t)key->lda, (uint64_t)key->ldb,
                              (uint64_t)key->ldc, (uint64_t)key->precision, (uint64_t)key->flags};
    uint64_t h = 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) h = (h ^ parts[i]) * 0xFF51AFD7ED558CCDu, h ^= h >> 32;
    return h;
}

static product *product_for(thread_state *state, const shape_key *key) {
    product *p = NULL;
    uint64_t hash = hash_key(key);
    for (uint64_t i = 0; i < CACHED_PLACES; i++) {
        product *place = &state->products[(hash + i) % CACHED_PRODUCTS];
        if (place->primitive && memcmp(&place->key, key, sizeof *key) == 0) return place;
        if (!p && !place->primitive) p = place;
    }
    if (!p) p = &state->products[hash % CACHED_PRODUCTS];
    forget(p);
    dnnl_primitive_desc_t chosen = choose(key);
    if (!chosen) return NULL;
    int bad = dnnl_primitive_create(&p->primitive, chosen);
    const struct { dnnl_memory_t *memory; dnnl_query_t what; } memories[] = {
        {&p->source, dnnl_query_src_md}, {&p->weights, dnnl_query_weights_md},
        {&p->destination, dnnl_query_dst_md}, {&p->scratchpad, dnnl_query_scratchpad_md},
    };
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++)
        bad |= dnnl_memory_create(memories[i].memory, dnnl_primitive_desc_query_md(chosen, memories[i].what, 0), engine,
                                  DNNL_MEMORY_NONE);
    if (key->flags & BIAS)
        bad |= dnnl_memory_create(&p->bias, dnnl_primitive_desc_query_md(chosen, dnnl_query_weights_md, 1), engine,
                                  DNNL_MEMORY_NONE);
    size_t scratch = dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(chosen, dnnl_query_scratchpad_md, 0));
    dnnl_primitive_desc_destroy(chosen);
    if (scratch && !at_least(&state->scratchpad, &state->scratchpad_size, scratch)) bad = 1;
    if (bad) {
        forget(p);
        return NULL;
    }
    p->key = *key;
    return p;
}

static int execute(thread_state *state, product *p, const void *a, const void *b, void *c, const float *bias) {
    int bad = dnnl_memory_set_data_handle(p->source, (void *)a);
    bad |= dnnl_memory_set_data_handle(p->weights, (void *)b);
    bad |= dnnl_memory_set_data_handle(p->destination, c);
    bad |= dnnl_memory_set_data_handle(p->scratchpad, state->scratchpad);
    if (p->bias) bad |= dnnl_memory_set_data_handle(p->bias, (void *)bias);
    if (bad) return -1;
    dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_SRC, p->source}, {DNNL_ARG_WEIGHTS, p->weights}, {DNNL_ARG_DST, p->destination},
        {DNNL_ARG_SCRATCHPAD, p->scratchpad}, {DNNL_ARG_BIAS, p->bias},
    };
    return dnnl_primitive_execute(p->primitive, state->stream, p->bias ? 5 : 4, arguments) == dnnl_success ? 0 : -1;
}

// MARK: Packed weights

struct kd_matrix {
    int64_t inputs, outputs, input_stride, output_stride;
    int64_t result_stride; // between rows of a result: the outputs, or those of the matrix that this one is a part of
    kd_precision precision;
    size_t bytes;
    void *data;
    bool is_view; // of memory that someone else owns
};

// Matrices of 8-bit integers lie in parts from the start where they are large: the library puts sums of columns behind them, so that a cut
// through one would not find its own.
enum { PARTS_OF_INTEGERS = 4, SMALLEST_PART = 256, LARGE_MATRIX = 1 << 20 };

static int stored_parts(kd_precision precision, int64_t inputs, int64_t outputs) {
    return precision == KD_S8 && inputs * outputs >= LARGE_MATRIX && outputs % (PARTS_OF_INTEGERS * SMALLEST_PART) == 0 ? PARTS_OF_INTEGERS : 1;
}

static kd_matrix column_part(const kd_matrix *matrix, int part, int parts) {
    kd_matrix cut = *matrix;
    cut.outputs /= parts;
    cut.bytes /= (size_t)parts;
    cut.data = (char *)matrix->data + (size_t)part * cut.bytes;
    cut.is_view = true;
    return cut;
}

// Float products always take a bias, if only of zeros: the layout of the weights may depend on whether there is one.
static shape_key packed_key(const kd_matrix *matrix) {
    bool bias = matrix->precision != KD_S8;
    return (shape_key){.m = KD_TILE_ROWS, .n = matrix->outputs, .k = matrix->inputs, .lda = matrix->inputs,
                       .ldc = matrix->result_stride, .precision = matrix->precision, .flags = PACKED | (bias ? BIAS : 0)};
}

kd_matrix *kd_pack(kd_precision precision, int64_t inputs, int64_t outputs, const void *source,
                   int64_t input_stride, int64_t output_stride) {
    if (!current_state()) return NULL;
    kd_matrix *matrix = calloc(1, sizeof *matrix);
    if (!matrix) return NULL;
    *matrix = (kd_matrix){.inputs = inputs, .outputs = outputs, .input_stride = input_stride,
                          .output_stride = output_stride, .result_stride = outputs, .precision = precision};
    if (kd_repack(matrix, source) != 0) {
        kd_release(matrix);
        return NULL;
    }
    return matrix;
}

// The bytes of one of the parts in which a matrix lies; 0 where the library refuses the shape.
static size_t part_bytes(const kd_matrix *matrix, int parts) {
    kd_matrix part = *matrix;
    part.outputs /= parts;
    shape_key key = packed_key(&part);
    matrix_desc wanted = NO_DESC;
    size_t bytes = packed_layout(&key, &wanted) ? 0 : dnnl_memory_desc_get_size(in(&wanted));
    drop(&wanted);
    return parts == 1 || bytes % 64 == 0 ? bytes : 0;
}

static int fill_part(thread_state *state, const kd_matrix *matrix, const void *source) {
    matrix_desc wanted = NO_DESC, given = NO_DESC;
    shape_key key = packed_key(matrix);
    if (packed_layout(&key, &wanted)) return -1;
    dnnl_memory_t from = NULL, to = NULL;
    dnnl_primitive_desc_t reorder_desc = NULL;
    dnnl_primitive_t reorder = NULL;
    int bad = describe_matrix(&given, matrix->inputs, matrix->outputs, operand_type(matrix->precision), matrix->input_stride,
                                      matrix->output_stride);
    bad = bad ? bad : (int)dnnl_memory_create(&from, in(&given), engine, (void *)source);
    bad = bad ? bad : (int)dnnl_memory_create(&to, in(&wanted), engine, matrix->data);
    bad = bad ? bad : (int)dnnl_reorder_primitive_desc_create(&reorder_desc, in(&given), engine, in(&wanted), engine, NULL);
    bad = bad ? bad : (int)dnnl_primitive_create(&reorder, reorder_desc);
    if (!bad) {
        dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
        bad = dnnl_primitive_execute(reorder, state->stream, 2, arguments);
    }
    if (reorder) dnnl_primitive_destroy(reorder);
    if (reorder_desc) dnnl_primitive_desc_destroy(reorder_desc);
    if (from) dnnl_memory_destroy(from);
    if (to) dnnl_memory_destroy(to);
    drop(&given);
    drop(&wanted);
    return bad ? -1 : 0;
}

int kd_repack(kd_matrix *matrix, const void *source) {
    thread_state *state = current_state();
    if (!state || matrix->is_view) return -1;
    int parts = stored_parts(matrix->precision, matrix->inputs, matrix->outputs);
    if (!matrix->data) {
        matrix->bytes = part_bytes(matrix, parts) * (size_t)parts;
        matrix->data = matrix->bytes ? aligned_alloc(64, (matrix->bytes + 63) / 64 * 64) : NULL;
        if (!matrix->data) return -1;
    }
    for (int i = 0; i < parts; i++) {
        kd_matrix part = column_part(matrix, i, parts);
        size_t before = (size_t)(i * part.outputs * part.output_stride) * operand_size(part.precision);
        if (fill_part(state, &part, (const char *)source + before)) return -1;
    }
    return 0;
}

kd_matrix *kd_view(kd_precision precision, int64_t inputs, int64_t outputs, const void *packed, size_t bytes) {
    if (!current_state() || (uintptr_t)packed % 64 != 0) return NULL;
    kd_matrix *matrix = calloc(1, sizeof *matrix);
    if (!matrix) return NULL;
    *matrix = (kd_matrix){.inputs = inputs, .outputs = outputs, .result_stride = outputs, .precision = precision, .bytes = bytes,
                          .data = (void *)packed, .is_view = true};
    int parts = stored_parts(precision, inputs, outputs);
    if (bytes > 0 && part_bytes(matrix, parts) * (size_t)parts == bytes) return matrix;
    kd_release(matrix);
    return NULL;
}

const void *kd_packed_bytes(const kd_matrix *matrix, size_t *bytes) {
    *bytes = matrix->bytes;
    return matrix->data;
}

void kd_release(kd_matrix *matrix) {
    if (!matrix) return;
    if (!matrix->is_view) free(matrix->data);
    free(matrix);
}

// MARK: Lower tiles and columns in parts

// A tile of few rows costs as much as a full one, and one thread reads weights more slowly than two. Where the library's kernels round alike
// at both heights, the last rows take a lower tile; where they round alike in both widths, threads share the columns. Both is found out on
// random numbers, once a shape has come often enough to repay the trial.
static const int64_t lower_heights[] = {1, 4, 8, 16, 32};
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

static const float *zeros(thread_state *state, int64_t count) {
    size_t wanted = (size_t)count * sizeof(float);
    bool grown = state->no_bias_size < wanted;
    if (!at_least(&state->no_bias, &state->no_bias_size, wanted)) return NULL;
    if (grown) memset(state->no_bias, 0, wanted);
    return state->no_bias;
}

// What a trial multiplies: random rows of one full tile by the matrix, and two results to compare.
typedef struct {
    kd_matrix matrix;
    size_t out_row;
    char *in, *usual, *other;
    void *random;
    const float *bias;
} bench;

static bool set_up(bench *b, thread_state *state, const kd_matrix *matrix) {
    size_t size = operand_size(matrix->precision), out_row = (size_t)matrix->result_stride * 4;
    *b = (bench){.matrix = *matrix, .out_row = out_row};
    b->in = at_least(&state->tile_in, &state->tile_in_size, KD_TILE_ROWS * (size_t)matrix->inputs * size);
    b->usual = at_least(&state->tile_out, &state->tile_out_size, KD_TILE_ROWS * out_row);
    b->other = malloc(KD_TILE_ROWS * out_row);
    b->bias = zeros(state, matrix->outputs);
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
    product *p = product_for(state, key);
    return p && execute(state, p, b->in, part->data, out, b->bias) == 0;
}

static bool same_columns(const bench *b, int64_t rows, int64_t columns) {
    for (size_t row = 0; row < (size_t)rows; row++)
        if (memcmp(b->usual + row * b->out_row, b->other + row * b->out_row, (size_t)columns * 4) != 0) return false;
    return true;
}

// Whether the first rows of a full tile are, bit for bit, what a tile of this height gives, and sooner. Two orders of summation
// round alike in one random number out of a few, so thousands of equal ones are proof enough.
static bool rounds_alike(thread_state *state, const kd_matrix *matrix, const shape_key *lower) {
    bench b;
    bool alike = set_up(&b, state, matrix);
    double full_time = 0, low_time = 0;
    shape_key full = packed_key(matrix);
    int64_t values = 0;
    for (uint32_t round = 0; alike && (round < 2 || values < COMPARED_VALUES); round++) {
        fill_random(b.in, KD_TILE_ROWS * (size_t)matrix->inputs, matrix->precision, 12345 + round);
        double begin = seconds();
        alike = multiply_tile(state, &b, &full, &b.matrix, b.usual);
        full_time = seconds() - begin;
        begin = seconds();
        alike = alike && multiply_tile(state, &b, lower, &b.matrix, b.other);
        low_time = seconds() - begin;
        alike = alike && same_columns(&b, lower->m, matrix->outputs);
        values += lower->m * matrix->outputs;
    }
    clear(&b);
    return alike && low_time < full_time;
}

// Whether the parts of the packed weights are packed weights themselves and give the bits of the whole.
static bool cuts_alike(thread_state *state, const kd_matrix *matrix, int parts) {
    if (part_bytes(matrix, parts) * (size_t)parts != matrix->bytes) return false;
    bench b;
    bool alike = set_up(&b, state, matrix);
    shape_key whole = packed_key(matrix);
    if (alike) fill_random(b.in, KD_TILE_ROWS * (size_t)matrix->inputs, matrix->precision, 12345);
    alike = alike && multiply_tile(state, &b, &whole, &b.matrix, b.usual);
    for (int i = 0; alike && i < parts; i++) {
        kd_matrix part = column_part(&b.matrix, i, parts);
        shape_key key = packed_key(&part);
        alike = multiply_tile(state, &b, &key, &part, b.other + (size_t)(i * part.outputs) * 4);
    }
    alike = alike && same_columns(&b, KD_TILE_ROWS, matrix->outputs);
    clear(&b);
    return alike;
}

static trial *trial_of(thread_state *state, const shape_key *key) {
    trial *found = &state->trials[hash_key(key) % CACHED_PRODUCTS];
    if (memcmp(&found->key, key, sizeof *key) != 0) *found = (trial){.key = *key};
    return found;
}

// The height of the tile for the last rows of a product.
static int64_t tile_height(thread_state *state, const kd_matrix *matrix, int64_t rows) {
    for (size_t i = 0; i < sizeof lower_heights / sizeof *lower_heights; i++) {
        if (lower_heights[i] < rows) continue;
        shape_key key = packed_key(matrix);
        key.m = lower_heights[i];
        trial *lower = trial_of(state, &key);
        if (lower->verdict == UNTRIED && ++lower->wanted > TRIED_AFTER)
            lower->verdict = rounds_alike(state, matrix, &key) ? EQUAL : DIFFERENT;
        if (lower->verdict == EQUAL) return key.m;
        if (lower->verdict == UNTRIED) break;
    }
    return KD_TILE_ROWS;
}

int kd_column_parts(const kd_matrix *matrix) {
    thread_state *state = current_state();
    int stored = stored_parts(matrix->precision, matrix->inputs, matrix->outputs), parts = PARTS_OF_INTEGERS;
    if (!state || stored > 1) return stored;
    if (matrix->precision == KD_S8 || matrix->inputs * matrix->outputs < LARGE_MATRIX / 2) return 1;
    while (parts > 1 && matrix->outputs % (parts * SMALLEST_PART) != 0) parts /= 2;
    if (parts == 1) return 1;
    shape_key key = packed_key(matrix);
    key.m = parts;
    key.flags |= CUT;
    trial *cut = trial_of(state, &key);
    if (cut->verdict == UNTRIED && ++cut->wanted > TRIED_AFTER) cut->verdict = cuts_alike(state, matrix, parts) ? EQUAL : DIFFERENT;
    return cut->verdict == EQUAL ? parts : 1;
}

// y has the matrix's own result stride.
static int multiply_rows(thread_state *state, const kd_matrix *matrix, const void *x, int64_t rows, void *y, const float *bias) {
    size_t in_row = (size_t)matrix->inputs * operand_size(matrix->precision), out_row = (size_t)matrix->result_stride * 4;
    for (int64_t row = 0; row < rows;) {
        int64_t left = rows - row, height = left < KD_TILE_ROWS ? tile_height(state, matrix, left) : KD_TILE_ROWS;
        const char *from = (const char *)x + (size_t)row * in_row;
        char *to = (char *)y + (size_t)row * out_row;
        shape_key key = packed_key(matrix);
        key.m = height;
        product *p = product_for(state, &key);
        if (!p) return -1;
        if (left >= height) {
            if (execute(state, p, from, matrix->data, to, bias)) return -1;
        } else {
            char *in = at_least(&state->tile_in, &state->tile_in_size, (size_t)height * in_row);
            char *out = at_least(&state->tile_out, &state->tile_out_size, (size_t)height * out_row);
            if (!in || !out) return -1;
            memcpy(in, from, (size_t)left * in_row);
            memset(in + (size_t)left * in_row, 0, (size_t)(height - left) * in_row);
            if (execute(state, p, in, matrix->data, out, bias)) return -1;
            for (size_t i = 0; i < (size_t)left; i++) memcpy(to + i * out_row, out + i * out_row, (size_t)matrix->outputs * 4);
        }
        row += height;
    }
    return 0;
}

int kd_multiply_part(const kd_matrix *matrix, const void *x, int64_t rows, void *y, const float *bias, int part, int parts) {
    thread_state *state = current_state();
    if (!state) return -1;
    if (!bias && matrix->precision != KD_S8 && !(bias = zeros(state, matrix->outputs))) return -1;
    kd_matrix cut = column_part(matrix, part, parts);
    int64_t column = part * cut.outputs;
    return multiply_rows(state, &cut, x, rows, (char *)y + (size_t)column * 4, bias ? bias + column : NULL);
}

int kd_multiply(const kd_matrix *matrix, const void *x, int64_t rows, void *y, const float *bias) {
    int parts = stored_parts(matrix->precision, matrix->inputs, matrix->outputs), bad = 0;
    for (int part = 0; part < parts; part++) bad |= kd_multiply_part(matrix, x, rows, y, bias, part, parts);
    return bad;
}

// MARK: General products

int kd_gemm(kd_precision precision, bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
            const void *a, int64_t lda, const void *b, int64_t ldb, float *c, int64_t ldc, bool accumulate) {
    thread_state *state = current_state();
    if (!state || precision == KD_S8) return -1;
    shape_key key = {.m = m, .n = n, .k = k, .lda = lda, .ldb = ldb, .ldc = ldc, .precision = precision,
                     .flags = (transpose_a ? TRANSPOSE_A : 0) | (transpose_b ? TRANSPOSE_B : 0) | (accumulate ? ACCUMULATE : 0)};
    product *p = product_for(state, &key);
    return p ? execute(state, p, a, b, c, NULL) : -1;
}

// MARK: The processor

// On other processors the library gives the bits of dnnl_cpu_isa_t meanings of their own: Advanced SIMD of ARM has that of SSE 4.1.
#if defined(__x86_64__)
bool kd_is_fast(kd_precision precision) {
    dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
#define HAS(set) (((unsigned)isa & (unsigned)(set)) == (unsigned)(set))
    switch (precision) {
    case KD_F32: return true;
    case KD_BF16: return HAS(dnnl_cpu_isa_avx512_core_bf16);
    case KD_S8: return HAS(dnnl_cpu_isa_avx512_core_vnni) || HAS(dnnl_cpu_isa_avx2_vnni);
    }
    return false;
#undef HAS
}

const char *kd_instruction_set(void) {
    switch (dnnl_get_effective_cpu_isa()) {
    case dnnl_cpu_isa_sse41: return "sse41";
    case dnnl_cpu_isa_avx: return "avx";
    case dnnl_cpu_isa_avx2: return "avx2";
    case dnnl_cpu_isa_avx2_vnni: return "avx2_vnni";
    case dnnl_cpu_isa_avx512_core: return "avx512_core";
    case dnnl_cpu_isa_avx512_core_vnni: return "avx512_core_vnni";
    case dnnl_cpu_isa_avx512_core_bf16: return "avx512_core_bf16";
    case dnnl_cpu_isa_avx512_core_amx: return "avx512_core_amx";
#if DNNL_VERSION_MAJOR >= 3
    case dnnl_cpu_isa_avx512_core_fp16: return "avx512_core_fp16";
#endif
    default: return "generic";
    }
}
#else
bool kd_is_fast(kd_precision precision) { return precision == KD_F32; }

const char *kd_instruction_set(void) {
#if defined(__aarch64__)
    return "aarch64";
#else
    return "generic";
#endif
}
#endif

const char *kd_library_version(void) {
    static char text[32];
    const dnnl_version_t *version = dnnl_version();
    snprintf(text, sizeof text, "%d.%d.%d", version->major, version->minor, version->patch);
    return text;
}
