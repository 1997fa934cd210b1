#include "check.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// MARK: Results

typedef struct {
    const char *kernel;
    promise kind;
    double tolerance, worst;
    uint64_t checksum;
    int64_t compared;
} result;

static result results[256], *current;
static int count, failures;

void begin(const char *kernel, promise kind, double tolerance) {
    for (int i = 0; i < count; i++)
        if (strcmp(results[i].kernel, kernel) == 0) {
            current = results + i;
            return;
        }
    if (count == COUNT(results)) abort();
    current = results + count++;
    *current = (result){.kernel = kernel, .kind = kind, .tolerance = tolerance, .checksum = 0xCBF29CE484222325u};
}

// FNV-1a.
static void add_to_checksum(const void *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) current->checksum = (current->checksum ^ ((const uint8_t *)bytes)[i]) * 0x100000001B3u;
}

static void compare(double got, double want, double largest, int64_t place, int64_t n) {
    double error = isnan(want) ? (isnan(got) ? 0 : INFINITY) : got == want ? 0 : fabs(got - want) / largest;
    current->compared++;
    // So that NaN is the worst as well.
    if (!(error <= current->worst)) current->worst = error;
    if (error <= current->tolerance) return;
    if (failures++ < 20)
        fprintf(stderr, "%s: element %lld of %lld is %.9g, expected %.9g\n", current->kernel, (long long)place, (long long)n, got, want);
}

static double largest_of(const double *want, int64_t n) {
    double largest = 0;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(want[i]) && fabs(want[i]) > largest) largest = fabs(want[i]);
    return largest > 0 ? largest : 1;
}

void expect_f(const float *got, const double *want, int64_t n) {
    double largest = largest_of(want, n);
    for (int64_t i = 0; i < n; i++) {
        // Processors give NaN different signs.
        float value = isnan(got[i]) ? NAN : got[i];
        add_to_checksum(&value, sizeof value);
        compare((double)got[i], want[i], largest, i, n);
    }
}

void expect_d(const double *got, const double *want, int64_t n) {
    double largest = largest_of(want, n);
    for (int64_t i = 0; i < n; i++) {
        double value = isnan(got[i]) ? (double)NAN : got[i];
        add_to_checksum(&value, sizeof value);
        compare(got[i], want[i], largest, i, n);
    }
}

void expect_one(double got, double want) { expect_d(&got, &want, 1); }

void expect_bytes(const void *got, const void *want, size_t bytes) {
    add_to_checksum(got, bytes);
    for (size_t i = 0; i < bytes; i++)
        compare(((const uint8_t *)got)[i], ((const uint8_t *)want)[i], 1, (int64_t)i, (int64_t)bytes);
}

void expect_integer(int64_t got, int64_t want) {
    add_to_checksum(&got, sizeof got);
    compare((double)got, (double)want, 1, 0, 1);
}

int finish(void) {
    for (int i = 0; i < count; i++) {
        result *r = results + i;
        if (r->compared == 0) failures++, fprintf(stderr, "%s: nothing was compared\n", r->kernel);
        printf("%-32s %s %9.2e %9.2e %016llx\n", r->kernel, r->kind == SAME ? "same" : "near", r->worst, r->tolerance, (unsigned long long)r->checksum);
    }
    if (failures) fprintf(stderr, "%d differences\n", failures);
    return failures ? 1 : 0;
}

// MARK: Memory

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GUARD 0
#endif
#endif
#ifndef GUARD
#define GUARD 64
#endif

static struct { uint8_t *start; size_t bytes; } rooms[512];
static int open_rooms;

void *room(size_t bytes) {
    if (open_rooms == COUNT(rooms)) abort();
    void *start = NULL;
    if (posix_memalign(&start, 64, bytes + GUARD + 1) != 0) abort();
    // What was not written shows: as a float or double this is a large negative number.
    memset(start, 0xD7, bytes + GUARD);
    rooms[open_rooms].start = start;
    rooms[open_rooms++].bytes = bytes;
    return start;
}

void tidy(void) {
    for (; open_rooms > 0; open_rooms--) {
        uint8_t *start = rooms[open_rooms - 1].start, *end = start + rooms[open_rooms - 1].bytes;
        for (int i = 0; i < GUARD; i++)
            if (end[i] != 0xD7) {
                fprintf(stderr, "%s: wrote %d bytes behind the end of %zu\n", current->kernel, i, rooms[open_rooms - 1].bytes);
                failures++;
                break;
            }
        free(start);
    }
}

// MARK: Numbers

// splitmix64 (Steele, Lea & Flood 2014).
static uint64_t next(void) {
    static uint64_t state;
    uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

double number(void) { return ((double)(next() >> 43) - 0x1p20) * 0x1p-20; }

uint32_t below(uint32_t limit) { return (uint32_t)((next() >> 32) * limit >> 32); }

double *zeros(int64_t n) {
    double *x = room((size_t)n * sizeof *x);
    for (int64_t i = 0; i < n; i++) x[i] = 0;
    return x;
}

float *numbers_f(int64_t n, double scale) {
    float *x = room((size_t)n * sizeof *x);
    for (int64_t i = 0; i < n; i++) x[i] = (float)(number() * scale);
    return x;
}

double *numbers_d(int64_t n, double scale) {
    double *x = room((size_t)n * sizeof *x);
    // Through float, so that both number types are tested with the same numbers.
    for (int64_t i = 0; i < n; i++) x[i] = (double)(float)(number() * scale);
    return x;
}
