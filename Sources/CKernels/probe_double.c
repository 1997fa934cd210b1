#include "ProbeKernels.h"
#include "elementary.h"

#define REAL double
#define F(name) name##_d
#include "probe.inc"
