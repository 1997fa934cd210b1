#define _GNU_SOURCE
#include "CMapping.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

// Read by a signal handler, so that there are no locks: a range counts while its `start` is not zero. The slot's own size is the limit.
#define RANGES 4096
static struct {
    _Atomic(uintptr_t) start, end;
    atomic_bool damaged, acknowledged, taken;
} ranges[RANGES];
static atomic_int used, damaged_ranges;
static uintptr_t page_size;
static struct sigaction before;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void on_bus_error(int number, siginfo_t *information, void *context) {
    (void)context;
    uintptr_t place = (uintptr_t)information->si_addr;
    int count = atomic_load(&used);
    for (int i = 0; i < count; i++) {
        uintptr_t start = atomic_load(&ranges[i].start), end = atomic_load(&ranges[i].end);
        if (start == 0 || place < start || place >= end) continue;
        // What follows a page that is gone is gone as well; one call covers it all.
        uintptr_t page = place & ~(page_size - 1), last = (end + page_size - 1) & ~(page_size - 1);
        void *made = mmap((void *)page, last - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
        if (made == MAP_FAILED) break;
        if (!atomic_exchange(&ranges[i].damaged, true)) atomic_fetch_add(&damaged_ranges, 1);
        return;
    }
    // Not in a watched range: the instruction runs again, and the previous handler gets the signal.
    sigaction(number, &before, NULL);
}

static void install(void) {
    page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &before);
}

int32_t km_watch(const void *start, size_t length) {
    pthread_once(&once, install);
    for (int i = 0; i < RANGES; i++) {
        bool is_taken = false;
        if (!atomic_compare_exchange_strong(&ranges[i].taken, &is_taken, true)) continue;
        atomic_store(&ranges[i].damaged, false);
        atomic_store(&ranges[i].acknowledged, false);
        atomic_store(&ranges[i].end, (uintptr_t)start + length);
        atomic_store(&ranges[i].start, (uintptr_t)start);
        int count = atomic_load(&used);
        while (count <= i && !atomic_compare_exchange_weak(&used, &count, i + 1)) {}
        return i;
    }
    return -1;
}

void km_unwatch(int32_t range) {
    if (range < 0 || range >= RANGES) return;
    atomic_store(&ranges[range].start, 0);
    atomic_store(&ranges[range].taken, false);
}

bool km_is_damaged(int32_t range) { return range >= 0 && range < RANGES && atomic_load(&ranges[range].damaged); }

void km_acknowledge(int32_t range) {
    if (km_is_damaged(range) && !atomic_exchange(&ranges[range].acknowledged, true)) atomic_fetch_sub(&damaged_ranges, 1);
}

int32_t km_damaged_ranges(void) { return atomic_load(&damaged_ranges); }
