/* A ring of bytes between one writer and one reader, of which one may be an interrupt.
 *
 * On one core it needs no lock: each side writes one index only, an aligned 32-bit word, after the bytes it speaks
 * for; everything shared is volatile, so that no compiler changes that order. On several cores it would need
 * memory barriers. */
#ifndef KIT_RING_H
#define KIT_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kit_ring {
    volatile uint8_t *bytes;
    uint32_t size;          /* a power of two */
    volatile uint32_t head; /* bytes ever written, wraps */
    volatile uint32_t tail; /* bytes ever read, wraps */
};

/* `size` is a power of two, at most 2^31. */
void kit_ring_reset(struct kit_ring *ring, volatile uint8_t *bytes, uint32_t size);

uint32_t kit_ring_used(const struct kit_ring *ring);
uint32_t kit_ring_free(const struct kit_ring *ring);

/* Writes all bytes or, when they do not fit, none. */
bool kit_ring_write(struct kit_ring *ring, const uint8_t *bytes, size_t count);

/* Reads at most `count` bytes; returns how many. */
size_t kit_ring_read(struct kit_ring *ring, uint8_t *bytes, size_t count);

#endif
