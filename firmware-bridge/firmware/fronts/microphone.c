#include "microphone.h"

#define HALF (MICROPHONE_TAPS / 2u)
#define ONE_BITS 15 /* the taps add up to 2^15 - 1 */
#define SPARE_BITS 8 /* 24 bits in, 16 out */

/* scipy.signal.firwin(95, 1850, window=("kaiser", kaiser_beta(70)), fs=16000) x 2^15; the other half mirrors it. */
static const int16_t TAPS[HALF + 1u] = {
    1, 2, 4, 3, -1, -7, -12, -11, -1, 14, 27, 28,
    11, -19, -50, -60, -37, 16, 77, 110, 87, 6, -103, -180,
    -173, -63, 113, 267, 305, 176, -86, -364, -500, -381, -12, 459,
    790, 752, 261, -540, -1294, -1550, -949, 595, 2816, 5150, 6918, 7577,
};

void microphone_reset(struct microphone *microphone, uint8_t louder)
{
    for (unsigned i = 0; i < MICROPHONE_TAPS; i++) {
        microphone->past[i] = 0;
    }
    microphone->at = microphone->phase = 0;
    microphone->louder = louder <= SPARE_BITS ? louder : SPARE_BITS;
}

static int32_t left_24_bits(uint32_t slot)
{
    int32_t value = (int32_t)(slot >> 8);
    return value < 0x800000 ? value : value - 0x1000000;
}

/* From the oldest sample, which stands where the next one goes, to the newest. */
static int64_t filtered(const struct microphone *microphone)
{
    int64_t sum = 0;
    unsigned at = microphone->at;
    for (unsigned i = 0; i < MICROPHONE_TAPS; i++) {
        unsigned tap = i <= HALF ? i : MICROPHONE_TAPS - 1u - i;
        sum += (int64_t)microphone->past[at] * TAPS[tap];
        at = at + 1u < MICROPHONE_TAPS ? at + 1u : 0u;
    }
    return sum;
}

/* Rounds half away from zero, and clips. */
static int16_t shortened(int64_t value, unsigned bits)
{
    int64_t one = (int64_t)1 << bits;
    value = (value + (value < 0 ? -one / 2 : one / 2)) / one;
    if (value > INT16_MAX) {
        return INT16_MAX;
    }
    return value < INT16_MIN ? INT16_MIN : (int16_t)value;
}

bool microphone_read(struct microphone *microphone, uint32_t slot, int16_t *sound)
{
    microphone->past[microphone->at] = left_24_bits(slot);
    microphone->at = (uint8_t)((microphone->at + 1u) % MICROPHONE_TAPS);
    microphone->phase = (uint8_t)((microphone->phase + 1u) % MICROPHONE_BY);
    if (microphone->phase != 0) {
        return false;
    }
    *sound = shortened(filtered(microphone), ONE_BITS + SPARE_BITS - (unsigned)microphone->louder);
    return true;
}
