#include "ads1298.h"

/* Data sheet SBAS459: 24 status bits "1100 LOFF_STATP[7:0] LOFF_STATN[7:0] GPIO[7:4]", then 8 x 24 bits, most
 * significant first; a step is 2.4 V / 6 / (2^23 - 1). */
#define MARK 0xCu
#define FULL_SCALE 8388607
#define FULL_SCALE_UV 400000
#define SLOWNESS 2048

/* Electrodes in one word: V1 to V6 as in LOFF_STATP, then the limbs. */
#define LA (1u << 0)
#define LL (1u << 1)
#define V(n) (1u << ((n) + 1))
#define RA (1u << 8)
#define LIMBS (LA | LL | RA)

/* What each lead hangs on. III is worked out of two channels that both hang on RA; the chest leads also on Wilson's terminal, the mean of the limbs. */
static const uint16_t NEEDS[ADS1298_LEADS] = {
    LA | RA,      LL | RA,      LIMBS,        LIMBS,        LIMBS,        LIMBS,
    V(1) | LIMBS, V(2) | LIMBS, V(3) | LIMBS, V(4) | LIMBS, V(5) | LIMBS, V(6) | LIMBS,
};

void ads1298_reset(struct ads1298 *front)
{
    front->settled = false;
}

static int32_t read_i24(const uint8_t *at)
{
    int32_t value = (int32_t)at[0] << 16 | (int32_t)at[1] << 8 | (int32_t)at[2];
    return value < 0x800000 ? value : value - 0x1000000;
}

static int16_t clipped(int64_t value)
{
    if (value > INT16_MAX) {
        return INT16_MAX;
    }
    return value < INT16_MIN ? INT16_MIN : (int16_t)value;
}

static int16_t microvolts(int64_t steps)
{
    int64_t half = steps < 0 ? -(FULL_SCALE / 2) : FULL_SCALE / 2;
    return clipped((steps * FULL_SCALE_UV + half) / FULL_SCALE);
}

/* Halves as the recording's codec predicts it, rounding down: then the derived leads cost no bytes on the way. */
static int16_t half(int32_t value)
{
    return clipped((value - (value & 1)) / 2);
}

static void derive(int16_t *leads)
{
    int32_t one = leads[0], two = leads[1];
    leads[2] = clipped(two - one);
    leads[3] = half(-one - two);
    leads[4] = half(2 * one - two);
    leads[5] = half(2 * two - one);
}

static uint16_t unusable(const uint8_t *status)
{
    unsigned positive = (status[0] & 0xFu) << 4 | (unsigned)status[1] >> 4;
    unsigned negative = (status[1] & 0xFu) << 4 | (unsigned)status[2] >> 4;
    unsigned electrodes = positive | ((negative & 3u) != 0 ? RA : 0u);
    unsigned off = 0;
    for (unsigned lead = 0; lead < ADS1298_LEADS; lead++) {
        off |= (electrodes & NEEDS[lead]) != 0 ? 1u << lead : 0u;
    }
    return (uint16_t)off;
}

static int64_t without_baseline(int64_t *baseline, int32_t value, bool settled)
{
    if (!settled) {
        *baseline = (int64_t)value * SLOWNESS;
    }
    int64_t fast = value - *baseline / SLOWNESS;
    *baseline += fast;
    return fast;
}

bool ads1298_read(struct ads1298 *front, const uint8_t *frame, int16_t *leads, uint16_t *off)
{
    if ((unsigned)frame[0] >> 4 != MARK) {
        return false;
    }
    for (unsigned i = 0; i < ADS1298_CHANNELS; i++) {
        int32_t value = read_i24(frame + 3u + 3u * i);
        int64_t fast = without_baseline(&front->baseline[i], value, front->settled);
        leads[i < 2u ? i : i + 4u] = microvolts(fast);
    }
    front->settled = true;
    derive(leads);
    *off = unusable(frame);
    return true;
}
