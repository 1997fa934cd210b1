#include "CKernels.h"
#include "check.h"
#include <math.h>
#include <string.h>

#define REAL float
#define F(name) name##_f
#define NAME(kernel) kernel "_f"
// The kernels' own exp, erf and tanh keep about seven digits.
#define CLOSE(float_tolerance, double_tolerance) (float_tolerance)
#define TEST_ALL test_float
#include "typed.inc"
