#include "CKernels.h"
#include "elementary.h"

#define REAL float
#define F(name) name##_f
#define kt_sqrt_f sqrtf
#define kt_log_f logf
#define LANES 16
#include "rowwise.inc"
#include "attention.inc"
#include "recurrent.inc"
