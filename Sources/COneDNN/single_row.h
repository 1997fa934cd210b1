// One row times packed weights: oneDNN's kernels compute it as they do a tile of many rows and read memory at half its speed.
#pragma once
#include "COneDNN.h"

// Columns of a block of packed weights, as oneDNN lays them out for AVX-512.
#define KD_BLOCK_COLUMNS 64

// Whether the processor has the instructions, and the matrix the size, of the layout that `kd_row_product` reads. Whether it has that layout,
// and whether the library adds up in the same order, a trial has to show.
bool kd_row_product_fits(kd_precision precision, int64_t inputs, int64_t outputs, size_t bytes);

// y of blocks first ..< end: blocks of 64 columns, in which 1 (float), 2 (bfloat16) or 4 (int8) inputs of a column lie side by side; behind
// 8-bit integers lie their columns' sums times -128. x has the operand's type; bias may be NULL.
void kd_row_product(kd_precision precision, const void *weights, int64_t inputs, int64_t outputs, int64_t first, int64_t end, const void *x,
                    void *y, const float *bias);
