#include "ProbeKernels.h"
#include "elementary.h"

#define REAL float
#define F(name) name##_f
#include "probe.inc"
