/* The core's clock. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

#include "registers.h"

struct clocks {
    uint32_t core_hz;
    uint32_t apb1_hz;
    uint32_t apb2_hz;
};

/* Runs the core at 168 MHz from a crystal of `crystal_mhz` (4 to 26), or from the internal oscillator (1 % accurate)
 * when the crystal does not start. Returns what was reached. The registers are arguments, so that a test can give
 * its own. */
struct clocks clock_start(struct rcc_registers *rcc, struct flash_registers *flash, uint32_t crystal_mhz);

#endif
