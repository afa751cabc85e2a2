#include "kit_ring.h"

void kit_ring_reset(struct kit_ring *ring, volatile uint8_t *bytes, uint32_t size)
{
    ring->bytes = bytes;
    ring->size = size;
    ring->head = ring->tail = 0;
}

uint32_t kit_ring_used(const struct kit_ring *ring)
{
    uint32_t head = ring->head;
    return head - ring->tail;
}

uint32_t kit_ring_free(const struct kit_ring *ring)
{
    return ring->size - kit_ring_used(ring);
}

bool kit_ring_write(struct kit_ring *ring, const uint8_t *bytes, size_t count)
{
    if (count > kit_ring_free(ring)) {
        return false;
    }
    uint32_t head = ring->head;
    for (size_t i = 0; i < count; i++) {
        ring->bytes[head++ & (ring->size - 1u)] = bytes[i];
    }
    ring->head = head;
    return true;
}

size_t kit_ring_read(struct kit_ring *ring, uint8_t *bytes, size_t count)
{
    size_t used = kit_ring_used(ring);
    size_t taken = count < used ? count : used;
    uint32_t tail = ring->tail;
    for (size_t i = 0; i < taken; i++) {
        bytes[i] = ring->bytes[tail++ & (ring->size - 1u)];
    }
    ring->tail = tail;
    return taken;
}
