#include "ProbeKernels.h"
#include "elementary.h"

#define REAL float
#define F(name) name##_f
#define kt_sqrt_f sqrtf
#include "probe.inc"
