/* The device's side of PROTOCOL.md as a state machine without I/O: bytes, time and samples go in by calls, frames
 * come out in a ring. Everything here belongs to the main loop. */
#ifndef KIT_DEVICE_H
#define KIT_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kit_frame.h"
#include "kit_message.h"
#include "kit_ring.h"

#define KIT_MAX_VALUES ((KIT_MAX_PAYLOAD - KIT_SAMPLES_HEAD) / 2u)

/* Samples leave so much of the output free: a stream that outruns the line must never keep the device from
 * answering. Holds the identity of twelve leads (237 bytes), an answer and a status, twice. */
#define KIT_RESERVE 560u

/* What the front end says of itself. */
struct kit_sensors {
    bool ready;          /* the sensor chip answers */
    uint16_t off;        /* bit i: no contact at channel i */
    uint8_t battery_pct; /* 0 to 100 or KIT_BATTERY_UNKNOWN */
    bool charging;
};

struct kit_device {
    const struct kit_identity *identity;
    struct kit_ring *out;
    struct kit_decoder decoder;
    struct kit_sensors sensors;
    uint8_t frame[KIT_MAX_FRAME];
    int16_t batch[KIT_MAX_VALUES];
    uint8_t batch_sets;
    bool streaming;
    uint32_t starts; /* streams begun since power-on, wraps: the source restarts when it changes */
    uint8_t seq;
    uint16_t dropped_frames;
    uint32_t index; /* of the next sample set */
    uint32_t lost;
    uint32_t heard_at;  /* ms: when bytes last arrived */
    uint32_t status_at; /* ms: when the next status is due */
    uint32_t told_at;   /* ms: when the last status was sent */
    uint16_t off_told;
};

/* Power-on at `now_ms`. False, and nothing done, when the identity breaks a rule of the protocol. */
bool kit_device_reset(struct kit_device *device, const struct kit_identity *identity, struct kit_ring *out,
                      uint32_t now_ms);

/* Takes bytes from the host and answers the commands they complete. */
void kit_device_receive(struct kit_device *device, const uint8_t *bytes, size_t count, uint32_t now_ms);

/* Notes time and sensors: gives up false starts of frames, sends a status that is due. Call it at least every
 * 10 ms, after kit_device_receive. */
void kit_device_tick(struct kit_device *device, const struct kit_sensors *sensors, uint32_t now_ms);

/* Takes one sample set. `index` counts sets taken since the start, whether they came this far or not: what is
 * missing before it counts as lost. Ignored while stopped. */
void kit_device_take(struct kit_device *device, uint32_t index, const int16_t *values);

#endif
