#include "kit_sets.h"

void kit_sets_restart(struct kit_sets *ring, uint8_t channels)
{
    ring->channels = channels;
    ring->head = ring->tail = ring->index = 0;
}

bool kit_sets_full(const struct kit_sets *ring)
{
    uint32_t head = ring->head;
    return head - ring->tail == KIT_SETS;
}

bool kit_sets_put(struct kit_sets *ring, const int16_t *values)
{
    uint32_t index = ring->index;
    ring->index = index + 1u;
    if (kit_sets_full(ring)) {
        return false;
    }
    uint32_t head = ring->head;
    volatile struct kit_set *slot = &ring->sets[head & (KIT_SETS - 1u)];
    slot->index = index;
    for (uint8_t i = 0; i < ring->channels; i++) {
        slot->values[i] = values[i];
    }
    ring->head = head + 1u;
    return true;
}

bool kit_sets_take(struct kit_sets *ring, struct kit_set *set)
{
    uint32_t tail = ring->tail;
    if (ring->head == tail) {
        return false;
    }
    const volatile struct kit_set *slot = &ring->sets[tail & (KIT_SETS - 1u)];
    set->index = slot->index;
    for (uint8_t i = 0; i < ring->channels; i++) {
        set->values[i] = slot->values[i];
    }
    ring->tail = tail + 1u;
    return true;
}
