#include "CKernels.h"
#include "elementary.h"

#define REAL double
#define F(name) name##_d
#define kt_sqrt_d sqrt
#define kt_log_d log
#define LANES (KT_WIDEST_LANES / 2)
// The elementary functions of the double kernels are libm's, which do not vectorize.
#define IN_PLACE
#include "rowwise.inc"
#include "attention.inc"
#include "decoding.inc"
#include "recurrent.inc"
#include "encoders.inc"
#include "optimizers.inc"
#include "probe.inc"
