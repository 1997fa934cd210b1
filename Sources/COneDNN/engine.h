// What the files of this room share: oneDNN's engine, one state per thread, primitives by shape, packed weights.
#pragma once
#include "single_row.h"
#include <oneapi/dnnl/dnnl.h>
#include <string.h>

// What identifies a primitive: everything that goes into its descriptor.
typedef struct {
    int64_t m, n, k, lda, ldb, ldc;
    int32_t precision, flags;
} shape_key;

enum { TRANSPOSE_A = 1, TRANSPOSE_B = 2, ACCUMULATE = 4, PACKED = 8, BIAS = 16, CUT = 32, SINGLE_ROW = 64 };

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

// oneDNN 2 has descriptions of matrices as values and a descriptor for each operation; oneDNN 3 has both behind pointers that are made and
// destroyed. A `matrix_desc` starts as NO_DESC and ends with drop().
typedef dnnl_memory_desc_t matrix_desc;
#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t desc_in;
#define NO_DESC NULL
static inline desc_in in(const matrix_desc *desc) { return *desc; }
#else
typedef const dnnl_memory_desc_t *desc_in;
#define NO_DESC {0}
static inline desc_in in(const matrix_desc *desc) { return desc; }
#endif

#pragma GCC visibility push(hidden)

// NULL where the library cannot be used.
thread_state *kd_current_state(void);
dnnl_engine_t kd_engine(void);
// Memory of at least so many bytes, 64-byte aligned; NULL if there is none. What was in it is lost where it grows.
void *kd_at_least(void **buffer, size_t *size, size_t wanted);
// So many zeros, which nobody writes to.
const float *kd_zeros(thread_state *state, int64_t count);

dnnl_data_type_t kd_operand_type(int precision);
size_t kd_operand_size(int precision);
int kd_describe_matrix(matrix_desc *desc, int64_t rows, int64_t columns, dnnl_data_type_t type, int64_t row_stride, int64_t column_stride);
void kd_drop(matrix_desc *desc);
// How the library wants packed weights: as for a full tile, whatever the height of the tile that reads them.
int kd_packed_layout(const shape_key *key, matrix_desc *wanted);

uint64_t kd_hash_key(const shape_key *key);
product *kd_product_for(thread_state *state, const shape_key *key);
int kd_execute(thread_state *state, product *p, const void *a, const void *b, void *c, const float *bias);

struct kd_matrix {
    int64_t inputs, outputs, input_stride, output_stride;
    kd_precision precision;
    size_t bytes;
    void *data;
    bool is_view; // of memory that someone else owns
};

static inline kd_matrix column_part(const kd_matrix *matrix, int part, int parts) {
    kd_matrix cut = *matrix;
    cut.outputs /= parts;
    cut.bytes /= (size_t)parts;
    cut.data = (char *)matrix->data + (size_t)part * cut.bytes;
    cut.is_view = true;
    return cut;
}

// Float products always take a bias, if only of zeros: the layout of the weights may depend on whether there is one.
static inline shape_key packed_key(const kd_matrix *matrix) {
    bool bias = matrix->precision != KD_S8;
    return (shape_key){.m = KD_TILE_ROWS, .n = matrix->outputs, .k = matrix->inputs, .lda = matrix->inputs,
                       .ldc = matrix->outputs, .precision = matrix->precision, .flags = PACKED | (bias ? BIAS : 0)};
}

// The bytes of one of equal parts of a matrix; 0 where the library refuses the shape.
size_t kd_part_bytes(const kd_matrix *matrix, int parts);

// What trials.c has found out about a shape on this thread, or finds out now.
int64_t kd_tile_height(thread_state *state, const kd_matrix *matrix, int64_t rows);
bool kd_single_row_fits(const kd_matrix *matrix);
bool kd_takes_single_row(thread_state *state, const kd_matrix *matrix);

#pragma GCC visibility pop
