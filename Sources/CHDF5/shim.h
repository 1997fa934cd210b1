#pragma once
#include <hdf5.h>

// Swift does not import macros that expand to expressions or casts; these are their values.
static inline unsigned kh5_acc_trunc(void) { return H5F_ACC_TRUNC; }
static inline unsigned kh5_acc_rdonly(void) { return H5F_ACC_RDONLY; }

static inline hid_t kh5_file_create(void) { return H5P_FILE_CREATE; }
static inline hid_t kh5_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t kh5_group_create(void) { return H5P_GROUP_CREATE; }
static inline hid_t kh5_dataset_create(void) { return H5P_DATASET_CREATE; }
static inline hid_t kh5_dataset_access(void) { return H5P_DATASET_ACCESS; }
static inline hid_t kh5_link_create(void) { return H5P_LINK_CREATE; }

static inline hid_t kh5_native_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t kh5_native_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t kh5_native_int8(void) { return H5T_NATIVE_INT8; }
static inline hid_t kh5_native_uint8(void) { return H5T_NATIVE_UINT8; }
static inline hid_t kh5_native_int32(void) { return H5T_NATIVE_INT32; }
static inline hid_t kh5_native_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t kh5_float32(void) { return H5T_IEEE_F32LE; }
static inline hid_t kh5_float64(void) { return H5T_IEEE_F64LE; }
static inline hid_t kh5_int8(void) { return H5T_STD_I8LE; }
static inline hid_t kh5_uint8(void) { return H5T_STD_U8LE; }
static inline hid_t kh5_int32(void) { return H5T_STD_I32LE; }
static inline hid_t kh5_int64(void) { return H5T_STD_I64LE; }
static inline hid_t kh5_c_string(void) { return H5T_C_S1; }

static inline size_t kh5_variable(void) { return H5T_VARIABLE; }
static inline hsize_t kh5_unlimited(void) { return H5S_UNLIMITED; }

static inline hid_t kh5_error_resource(void) { return H5E_RESOURCE; }
static inline hid_t kh5_error_no_space(void) { return H5E_NOSPACE; }

/// The kind of the object of this name as an H5O_type_t, -1 if absent.
static inline int kh5_object_type(hid_t place, const char *name) {
#if H5_VERSION_GE(1, 12, 0)
    H5O_info2_t information;
    herr_t status = H5Oget_info_by_name3(place, name, &information, H5O_INFO_BASIC, H5P_DEFAULT);
#else
    H5O_info_t information;
    herr_t status = H5Oget_info_by_name(place, name, &information, H5P_DEFAULT);
#endif
    return status >= 0 ? (int)information.type : -1;
}

/// H5Literate by name, in increasing order; its own name is a macro from version 1.12 on.
static inline herr_t kh5_iterate_links(hid_t group, H5L_iterate_t each, void *data) {
    return H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, each, data);
}
