#pragma once
#include <mpi.h>

// MPI's names are macros that expand to casts of addresses, which Swift does not import; these are thin functions over the calls that training
// needs. All return an MPI error class, MPI_SUCCESS (0) where it went well.

/// Calls come from the main thread only.
static inline int kmpi_start(void) {
    int provided = 0, already = 0;
    MPI_Initialized(&already);
    if (already) return MPI_SUCCESS;
    int status = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
    if (status != MPI_SUCCESS) return status;
    if (provided < MPI_THREAD_FUNNELED) return MPI_ERR_OTHER;
    // Errors come back and are reported by the program.
    return MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
}

static inline int kmpi_end(void) { return MPI_Finalize(); }
static inline void kmpi_abort(int status) { MPI_Abort(MPI_COMM_WORLD, status); }

static inline int kmpi_rank(void) {
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return rank;
}

static inline int kmpi_count(void) {
    int count = 1;
    MPI_Comm_size(MPI_COMM_WORLD, &count);
    return count;
}

static inline int kmpi_send(const void *bytes, int count, int rank) { return MPI_Send(bytes, count, MPI_BYTE, rank, 0, MPI_COMM_WORLD); }

static inline int kmpi_receive(void *bytes, int count, int rank) {
    MPI_Status status;
    int result = MPI_Recv(bytes, count, MPI_BYTE, rank, 0, MPI_COMM_WORLD, &status), found = 0;
    if (result != MPI_SUCCESS) return result;
    MPI_Get_count(&status, MPI_BYTE, &found);
    return found == count ? MPI_SUCCESS : MPI_ERR_TRUNCATE;
}

static inline int kmpi_broadcast(void *bytes, int count, int rank) { return MPI_Bcast(bytes, count, MPI_BYTE, rank, MPI_COMM_WORLD); }
static inline int kmpi_barrier(void) { return MPI_Barrier(MPI_COMM_WORLD); }

/// Room for MPI_MAX_ERROR_STRING characters.
static inline int kmpi_error_length(void) { return MPI_MAX_ERROR_STRING; }
static inline void kmpi_error_text(int code, char *text) {
    int length = 0;
    if (MPI_Error_string(code, text, &length) != MPI_SUCCESS) text[0] = 0;
}
