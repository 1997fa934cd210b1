// A file driver of libhdf5 (its "virtual file layer") that reads and writes a descriptor which is open already. libhdf5 then needs no
// access to the file system, and the file that was looked at is the file that is read, whatever happens to its name in between.
// Behaves as the library's default driver (H5FDsec2.c) where that decides a file's layout, so that files are the same to the byte.
#define _GNU_SOURCE
#include "hdf5driver.h"
#include <H5FDpublic.h>
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    H5FD_t base;
    int descriptor;
    haddr_t end_of_addresses, end_of_file;
    dev_t device;
    ino_t inode;
} File;

static const haddr_t maximum = ((haddr_t)1 << 63) - 1;

static H5FD_t *file_open(const char *name, unsigned flags, hid_t access, haddr_t limit) {
    (void)name;
    (void)limit;
    const int *given = H5Pget_driver_info(access);
    struct stat information;
    if (!given) return NULL;
    int descriptor = fcntl(*given, F_DUPFD_CLOEXEC, 3);
    if (descriptor < 0) return NULL;
    File *file = calloc(1, sizeof *file);
    if (!file || fstat(descriptor, &information) != 0 || ((flags & H5F_ACC_TRUNC) && ftruncate(descriptor, 0) != 0)) {
        free(file);
        close(descriptor);
        return NULL;
    }
    file->descriptor = descriptor;
    file->end_of_file = flags & H5F_ACC_TRUNC ? 0 : (haddr_t)information.st_size;
    file->device = information.st_dev;
    file->inode = information.st_ino;
    return &file->base;
}

static herr_t file_close(H5FD_t *base) {
    File *file = (File *)base;
    int status = close(file->descriptor);
    free(file);
    return status == 0 ? 0 : -1;
}

static int file_compare(const H5FD_t *left, const H5FD_t *right) {
    const File *a = (const File *)left, *b = (const File *)right;
    if (a->device != b->device) return a->device < b->device ? -1 : 1;
    return a->inode == b->inode ? 0 : a->inode < b->inode ? -1 : 1;
}

static herr_t file_query(const H5FD_t *base, unsigned long *flags) {
    (void)base;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_AGGREGATE_SMALLDATA
        | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

static haddr_t addresses_end(const H5FD_t *base, H5FD_mem_t type) {
    (void)type;
    return ((const File *)base)->end_of_addresses;
}

static herr_t set_addresses_end(H5FD_t *base, H5FD_mem_t type, haddr_t address) {
    (void)type;
    ((File *)base)->end_of_addresses = address;
    return 0;
}

static haddr_t file_end(const H5FD_t *base, H5FD_mem_t type) {
    (void)type;
    return ((const File *)base)->end_of_file;
}

static int is_outside(haddr_t address, size_t size) { return address > maximum || size > maximum || address + size > maximum; }

static herr_t file_read(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size, void *bytes) {
    (void)type;
    (void)transfer;
    const File *file = (const File *)base;
    if (is_outside(address, size)) return -1;
    char *place = bytes;
    while (size > 0) {
        ssize_t count = pread(file->descriptor, place, size < 1 << 30 ? size : 1 << 30, (off_t)address);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return -1;
        if (count == 0) {
            // Behind the end lie zeros that are not written yet.
            memset(place, 0, size);
            return 0;
        }
        place += count;
        address += (haddr_t)count;
        size -= (size_t)count;
    }
    return 0;
}

static herr_t file_write(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size, const void *bytes) {
    (void)type;
    (void)transfer;
    File *file = (File *)base;
    if (is_outside(address, size)) return -1;
    const char *place = bytes;
    while (size > 0) {
        ssize_t count = pwrite(file->descriptor, place, size < 1 << 30 ? size : 1 << 30, (off_t)address);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return -1;
        place += count;
        address += (haddr_t)count;
        size -= (size_t)count;
    }
    if (address > file->end_of_file) file->end_of_file = address;
    return 0;
}

static herr_t file_truncate(H5FD_t *base, hid_t transfer, hbool_t closing) {
    (void)transfer;
    (void)closing;
    File *file = (File *)base;
    if (file->end_of_addresses == file->end_of_file) return 0;
    if (ftruncate(file->descriptor, (off_t)file->end_of_addresses) != 0) return -1;
    file->end_of_file = file->end_of_addresses;
    return 0;
}

static const H5FD_class_t driver_class = {
#if H5_VERSION_GE(1, 13, 0)
    .version = H5FD_CLASS_VERSION,
    .value = 600, // any from 256 on that no driver of the library has
#endif
    .name = "kotonoha-descriptor",
    .maxaddr = ((haddr_t)1 << 63) - 1,
    .fc_degree = H5F_CLOSE_WEAK,
    .fapl_size = sizeof(int),
    .open = file_open,
    .close = file_close,
    .cmp = file_compare,
    .query = file_query,
    .get_eoa = addresses_end,
    .set_eoa = set_addresses_end,
    .get_eof = file_end,
    .read = file_read,
    .write = file_write,
    .truncate = file_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

hid_t kh5_driver_register(void) { return H5FDregister(&driver_class); }

herr_t kh5_driver_set(hid_t access, hid_t driver, int descriptor) { return H5Pset_driver(access, driver, &descriptor); }
