// Matrix products of oneDNN behind a thin C face: weights once in the library's own layout, primitives kept by shape.
//
// Every function computes on the calling thread alone (oneDNN would bring OpenMP threads; results must not depend on
// their number) and may be called from many threads at once. Return value: 0, or a negative number where oneDNN refuses.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    KD_F32 = 0,   // float x float -> float
    KD_BF16 = 1,  // bfloat16 x bfloat16 -> float
    KD_S8 = 2,    // int8 x int8 -> int32
} kd_precision;

// Rows of one tile. Products with packed weights run on tiles of this height, the last one filled up with zeros: oneDNN's kernels for some
// processors round differently at other heights, and a sentence's vector must not depend on what else is in its batch. Where a trial shows
// that a lower tile gives the same bits on this processor, the last rows take one.
#define KD_TILE_ROWS 64

// A weight matrix (inputs x outputs) in the layout that oneDNN prefers. Immutable after packing.
typedef struct kd_matrix kd_matrix;

// Packs element (i, o) = source[i * input_stride + o * output_stride]; the type of source follows the precision.
kd_matrix *kd_pack(kd_precision precision, int64_t inputs, int64_t outputs, const void *source,
                   int64_t input_stride, int64_t output_stride);
// Puts new values into a matrix packed before with the same shape, precision and strides.
int kd_repack(kd_matrix *matrix, const void *source);
void kd_release(kd_matrix *matrix);

// The bytes of a packed matrix. With the same library version and instruction set they serve another process.
const void *kd_packed_bytes(const kd_matrix *matrix, size_t *bytes);
// A matrix whose packed bytes lie, 64-byte aligned, in memory that outlives it; NULL where their number is not what the library wants.
kd_matrix *kd_view(kd_precision precision, int64_t inputs, int64_t outputs, const void *packed, size_t bytes);

// y (rows x outputs) = x (rows x inputs) * matrix + bias; bias (outputs floats) may be NULL and must be for KD_S8.
int kd_multiply(const kd_matrix *matrix, const void *x, int64_t rows, void *y, const float *bias);

// Into how many parts of its columns a product of so many rows with this matrix can be cut, so that several threads share it with the bits of
// the whole; 1 where the matrix is small, or where the library's layout or rounding does not allow it, and before it has been tried.
int kd_column_parts(const kd_matrix *matrix, int64_t rows);
// The columns of one part of kd_multiply's y, whose number is one that kd_column_parts gave for as many rows; the others are left alone.
int kd_multiply_part(const kd_matrix *matrix, const void *x, int64_t rows, void *y, const float *bias, int part, int parts);

// c (m x n, row stride ldc) = op(a) * op(b) [+ c]; op(a) is m x k, op(b) is k x n; a transposed operand lies in memory as its
// transpose. KD_F32 and KD_BF16; c is float. The primitive is kept for the next call with the same shape.
int kd_gemm(kd_precision precision, bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
            const void *a, int64_t lda, const void *b, int64_t ldb, float *c, int64_t ldc, bool accumulate);

// Whether the processor has instructions for this precision, so that it is worth offering.
bool kd_is_fast(kd_precision precision);

// Name of the instruction set that oneDNN uses here, as in "avx512_core_bf16"; for provenance.
const char *kd_instruction_set(void);

// As in "2.6.3". The first call is to return before another thread calls.
const char *kd_library_version(void);
