// What the tests of the kernels share: input numbers, guarded memory, comparison, and the list of results.
#pragma once
#include <stdint.h>
#include <stddef.h>

// SAME: the same bits on every processor, because the header says so or because each result is one chain of exactly rounded operations in
// a fixed order, without a product that may be fused into a sum. NEAR: within the tolerance of the reference.
typedef enum { NEAR, SAME } promise;

// What is compared from here on are results of this kernel. Errors are relative to the largest magnitude of the array compared.
void begin(const char *kernel, promise kind, double tolerance);
void expect_f(const float *got, const double *want, int64_t n);
void expect_d(const double *got, const double *want, int64_t n);
void expect_one(double got, double want);
// Bit for bit.
void expect_bytes(const void *got, const void *want, size_t bytes);
void expect_integer(int64_t got, int64_t want);
// Prints a line for every kernel: name, promise, worst error, tolerance, checksum of all results. Returns the exit status.
int finish(void);

// Memory until the next `tidy`, which finds writes behind its end. Aligned to 64 bytes.
void *room(size_t bytes);
void tidy(void);
// In -1 ..< 1, in steps of 2^-20, so that float and double hold the same.
double number(void);
uint32_t below(uint32_t limit);
double *zeros(int64_t n);
float *numbers_f(int64_t n, double scale);
double *numbers_d(int64_t n, double scale);

#define COUNT(array) ((int64_t)(sizeof(array) / sizeof *(array)))
// Shorter than a vector, whole vectors, and one more or less.
static const int64_t sizes[] = {1, 3, 7, 8, 15, 16, 17, 31, 33, 64, 65};
#define EACH_SIZE(n) for (int64_t at_##n = 0, n; at_##n < COUNT(sizes) && (n = sizes[at_##n], 1); at_##n++)

void test_float(void);
void test_double(void);
void test_search(void);
void test_maps(void);
void test_others(void);
