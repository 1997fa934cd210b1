// Files mapped into memory that may shrink, or whose disk may fail, while they are read. Touching a page that is gone raises SIGBUS, which ends
// the process; for ranges that stand here the page becomes zeros and the range is marked as damaged, so that its reader can say so.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Watches over `length` bytes mapped at `start`. Returns a number for the range, or -1 if there is no room for one more (then SIGBUS does
// what it did before). The first call installs the handler; a fault elsewhere goes to the handler of before.
int32_t km_watch(const void *start, size_t length);
// Ends the watch. To be called before the range is unmapped.
void km_unwatch(int32_t range);
// True if a page of the range was gone when it was touched.
bool km_is_damaged(int32_t range);
// Says that the reader of a damaged range has been told: what was computed from it is thrown away.
void km_acknowledge(int32_t range);
// Number of damaged ranges not reported yet: anything may have been computed from them.
int32_t km_damaged_ranges(void);
