#pragma once

/// Tells the core that it is spinning.
static inline void gsm_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/// The processor that the calling thread runs on; -1 where the system does not say.
int gsm_current_processor(void);

/// Moves the calling thread to a processor that it may use and that is not among those taken, if there is one;
/// afterwards it may run where it might before. Does nothing but on Linux.
void gsm_leave_processors(const int *taken, int count);
