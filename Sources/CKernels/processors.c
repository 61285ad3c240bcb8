#define _GNU_SOURCE
#include "gossamer_processors.h"

#if defined(__linux__)
#include <sched.h>

int gsm_current_processor(void) { return sched_getcpu(); }

void gsm_leave_processors(const int *taken, int count) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    cpu_set_t free = allowed;
    for (int i = 0; i < count; i++) {
        if (taken[i] >= 0 && taken[i] < CPU_SETSIZE) CPU_CLR(taken[i], &free);
    }
    if (CPU_COUNT(&free) == 0 || sched_setaffinity(0, sizeof free, &free) != 0) return;
    sched_setaffinity(0, sizeof allowed, &allowed);
}
#else
int gsm_current_processor(void) { return -1; }
void gsm_leave_processors(const int *taken, int count) { (void)taken, (void)count; }
#endif
