/* Sound at 4 kHz from a digital microphone at 16 kHz, as pure functions. How the microphone is clocked and read (I2S, DMA) is
 * not here: see docs/front-end.md. */
#ifndef MICROPHONE_H
#define MICROPHONE_H

#include <stdbool.h>
#include <stdint.h>

#define MICROPHONE_TAPS 95u
#define MICROPHONE_BY 4u

/* One microphone; reset it when the stream starts. */
struct microphone {
    int32_t past[MICROPHONE_TAPS]; /* the last samples, a ring */
    uint8_t at;                    /* where the next one goes */
    uint8_t phase;                 /* samples since the last output */
    uint8_t louder;                /* powers of two, fixed for a build: never automatic */
};

/* `louder` is 0 to 8: with 0 the 16 bits sent are the highest of the microphone's 24, with 8 the lowest. */
void microphone_reset(struct microphone *microphone, uint8_t louder);

/* Takes one slot of 32 bits with 24 significant ones on the left, as I2S delivers them; every fourth gives a sample of sound, clipped
 * at the ends of 16 bits.
 *
 * Low-pass of 95 taps, linear phase, delay 2.94 ms: flat within 0.02 dB to 1.5 kHz, 0.3 dB down at 1.6 kHz; what
 * would fold below 1.6 kHz is 70 dB down. No high-pass. */
bool microphone_read(struct microphone *microphone, uint32_t slot, int16_t *sound);

#endif
