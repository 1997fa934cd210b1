#include "CKernels.h"
#include "elementary.h"

#define REAL float
#define F(name) name##_f
#define kt_sqrt_f sqrtf
#define kt_log_f logf
#define LANES 16
// Before a loop whose output may be its input, element by element: without it the compiler tests for overlap at run time and takes the
// scalar loop.
#define IN_PLACE _Pragma("clang loop vectorize(assume_safety)")
#include "rowwise.inc"
#include "attention.inc"
#include "decoding.inc"
#include "recurrent.inc"
#include "encoders.inc"
#include "optimizers.inc"
