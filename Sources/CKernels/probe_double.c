#include "ProbeKernels.h"
#include "elementary.h"

#define REAL double
#define F(name) name##_d
#define kt_sqrt_d sqrt
#include "probe.inc"
