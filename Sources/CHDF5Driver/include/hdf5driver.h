#pragma once
#include <hdf5.h>

/// Registers the driver and returns its id, negative on failure. libhdf5 must be open.
hid_t kh5_driver_register(void);

/// Makes files that are opened or created with `access` live in `descriptor`, whatever name they are given. The descriptor is duplicated
/// when the file is opened and may be closed after that.
herr_t kh5_driver_set(hid_t access, hid_t driver, int descriptor);
