#include "CKernels.h"
#include "check.h"
#include <math.h>
#include <string.h>

#define REAL double
#define F(name) name##_d
#define NAME(kernel) kernel "_d"
#define CLOSE(float_tolerance, double_tolerance) (double_tolerance)
#define TEST_ALL test_double
#include "typed.inc"
