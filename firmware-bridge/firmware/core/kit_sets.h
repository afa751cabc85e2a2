/* Sample sets on their way from the acquisition interrupt to the main loop, each with its own index.
 *
 * When the main loop is late and the ring is full, the newest set is dropped and the index runs on: the next set
 * that fits shows by its index how many are missing, and where. Same rules of sharing as kit_ring. */
#ifndef KIT_SETS_H
#define KIT_SETS_H

#include <stdbool.h>
#include <stdint.h>

#define KIT_MAX_CHANNELS 16u
#define KIT_SETS 256u /* a power of two: 64 ms of 4 kHz sound, half a second of a 500 Hz ECG */

struct kit_set {
    uint32_t index;
    int16_t values[KIT_MAX_CHANNELS];
};

struct kit_sets {
    volatile struct kit_set sets[KIT_SETS];
    volatile uint32_t head; /* written by the interrupt */
    volatile uint32_t tail; /* written by the main loop */
    volatile uint32_t index; /* that the next set taken will have */
    uint8_t channels;
};

/* Empties the ring and begins at index 0. Not while the other side may run: mask the interrupt. */
void kit_sets_restart(struct kit_sets *ring, uint8_t channels);

bool kit_sets_full(const struct kit_sets *ring);

/* From the interrupt: one set of `channels` values. Says whether it fitted. */
bool kit_sets_put(struct kit_sets *ring, const int16_t *values);

/* From the main loop: the oldest set, or false. */
bool kit_sets_take(struct kit_sets *ring, struct kit_set *set);

#endif
