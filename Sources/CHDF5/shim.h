#pragma once
#include <hdf5.h>

// Swift does not import macros that expand to expressions or casts; these are their values.
static inline unsigned kh5_acc_trunc(void) { return H5F_ACC_TRUNC; }
static inline unsigned kh5_acc_rdonly(void) { return H5F_ACC_RDONLY; }
static inline hid_t kh5_native_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t kh5_native_double(void) { return H5T_NATIVE_DOUBLE; }
