/* Where the samples come from. One file of this kind is linked in; everything behind it is the same. */
#ifndef SOURCE_H
#define SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "kit_device.h"
#include "kit_sets.h"

/* What the front end describes itself as. */
extern const bool source_simulated;

/* Starts the front end, with `channels` numbers to a sample set. */
void source_start(const struct clocks *clocks, uint8_t channels);

/* The stream begins: the next set taken has index 0. */
void source_restart(void);

/* The oldest sample set that waits, or false. */
bool source_take(struct kit_set *set);

struct kit_sensors source_sensors(void);

#endif
