/* Frames of the ECG chip: numbers, leads, contacts, slow voltages. */
#include <stdlib.h>
#include <string.h>

#include "ads1298.h"
#include "check.h"

#define STEPS_PER_MV 20972 /* 1000 uV x 8388607 / 400000 = 20971.5 */

static struct ads1298 front;
static int16_t leads[ADS1298_LEADS];
static uint16_t off;

static bool read_frame(uint32_t status, const int32_t *channels)
{
    uint8_t frame[ADS1298_FRAME];
    for (unsigned i = 0; i < 3; i++) {
        frame[i] = (uint8_t)(status >> (16 - 8 * i) & 0xFFu);
    }
    for (unsigned i = 0; i < ADS1298_CHANNELS; i++) {
        uint32_t bits = (uint32_t)channels[i];
        frame[3 + 3 * i] = (uint8_t)(bits >> 16 & 0xFFu);
        frame[4 + 3 * i] = (uint8_t)(bits >> 8 & 0xFFu);
        frame[5 + 3 * i] = (uint8_t)(bits & 0xFFu);
    }
    return ads1298_read(&front, frame, leads, &off);
}

static void fresh(void)
{
    static const int32_t NOTHING[ADS1298_CHANNELS] = {0};
    ads1298_reset(&front);
    CHECK(read_frame(0xC00000u, NOTHING));
}

static void steps_become_microvolts_and_eight_channels_twelve_leads(void)
{
    static const int32_t CHANNELS[] = {STEPS_PER_MV,     2 * STEPS_PER_MV, -STEPS_PER_MV, 0x7FFFFF,
                                       -0x800000, STEPS_PER_MV / 1000, 0, 5 * STEPS_PER_MV};
    static const int16_t WANTED[] = {1000, 2000, 1000, -1500, 0, 1500, -1000, 32767, -32768, 1, 0, 5000};
    fresh();
    CHECK(read_frame(0xC00000u, CHANNELS));
    for (unsigned i = 0; i < ADS1298_LEADS; i++) {
        CHECK(leads[i] == WANTED[i]);
    }
    CHECK(off == 0);
}

static void odd_sums_are_halved_downwards(void)
{
    static const int32_t CHANNELS[ADS1298_CHANNELS] = {21, 42}; /* 1 uV and 2 uV */
    fresh();
    CHECK(read_frame(0xC00000u, CHANNELS));
    CHECK(leads[2] == 1 && leads[3] == -2 && leads[4] == 0 && leads[5] == 1);
}

static void an_electrode_that_is_off_silences_every_lead_that_hangs_on_it(void)
{
    static const struct {
        uint32_t status;
        unsigned off;
    } CASES[] = {
        {0xC01000u, 0xFFFu & ~2u},        /* left arm: all but II */
        {0xC02000u, 0xFFFu & ~1u},        /* left leg: all but I */
        {0xC00010u, 0xFFFu},              /* right arm: all */
        {0xC04000u, 1u << 6},             /* V1 */
        {0xC80000u, 1u << 11},            /* V6 */
        {0xC0000Fu, 0},                   /* pins for other purposes */
    };
    static const int32_t NOTHING[ADS1298_CHANNELS] = {0};
    for (unsigned i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        fresh();
        CHECK(read_frame(CASES[i].status, NOTHING));
        CHECK(off == CASES[i].off);
    }
}

static void what_is_no_frame_changes_nothing(void)
{
    static const int32_t CHANNELS[ADS1298_CHANNELS] = {STEPS_PER_MV};
    fresh();
    memset(leads, 0, sizeof leads);
    CHECK(!read_frame(0x400000u, CHANNELS));
    CHECK(!read_frame(0xFFFFFFu, CHANNELS));
    CHECK(leads[0] == 0 && front.baseline[0] == 0);
}

static void the_electrodes_own_voltage_goes_and_slow_waves_stay(void)
{
    int32_t channels[ADS1298_CHANNELS] = {300 * STEPS_PER_MV, -300 * STEPS_PER_MV};
    ads1298_reset(&front);
    for (unsigned i = 0; i < 100; i++) {
        CHECK(read_frame(0xC00000u, channels));
        CHECK(leads[0] == 0 && leads[1] == 0);
    }
    channels[0] += 10 * STEPS_PER_MV;
    CHECK(read_frame(0xC00000u, channels));
    CHECK(leads[0] == 10000);
    for (unsigned i = 0; i < 2048; i++) {
        CHECK(read_frame(0xC00000u, channels));
    }
    CHECK(abs(leads[0] - 3679) <= 5); /* 10 mV / e after one time constant: 0.039 Hz */
}

void test_ads1298(void)
{
    steps_become_microvolts_and_eight_channels_twelve_leads();
    odd_sums_are_halved_downwards();
    an_electrode_that_is_off_silences_every_lead_that_hangs_on_it();
    what_is_no_frame_changes_nothing();
    the_electrodes_own_voltage_goes_and_slow_waves_stay();
}
