/* Twelve leads from the frames of an ADS1298 (Texas Instruments, eight 24-bit channels), as pure functions. How the
 * chip is set up and read over SPI is not here: see docs/front-end.md.
 *
 * Wiring: channel 1 = LA - RA (I), channel 2 = LL - RA (II), channels 3 to 8 = V1 to V6 against Wilson's terminal;
 * gain 6, reference 2.4 V, 500 samples a second. */
#ifndef ADS1298_H
#define ADS1298_H

#include <stdbool.h>
#include <stdint.h>

#define ADS1298_FRAME 27u
#define ADS1298_CHANNELS 8u
#define ADS1298_LEADS 12u

/* One front end; reset it when the stream starts. */
struct ads1298 {
    int64_t baseline[ADS1298_CHANNELS]; /* 2048 times the electrodes' slow voltage, in steps of the chip */
    bool settled;
};

void ads1298_reset(struct ads1298 *front);

/* Reads one frame of 27 bytes into twelve leads in microvolts, clipped at the ends of 16 bits, and the bitmap of
 * leads that mean nothing because an electrode is off. False when it is no frame; then nothing is changed.
 *
 * Electrodes lie at up to 300 mV, far beyond 16 bits of a microvolt, so the slow voltage is taken away by a high-pass of the first
 * order with a time constant of 2048 samples: 0.039 Hz at 500 Hz, below the 0.05 Hz that ST segments need. */
bool ads1298_read(struct ads1298 *front, const uint8_t *frame, int16_t *leads, uint16_t *off);

#endif
