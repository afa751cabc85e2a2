/* What is inside the frames that a device sends: PROTOCOL.md sections 4 to 7. Pure functions on buffers. */
#ifndef KIT_MESSAGE_H
#define KIT_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KIT_MAJOR 1u
#define KIT_MINOR 0u
#define KIT_SAMPLES_HEAD 10u
#define KIT_BATTERY_UNKNOWN 255u

enum kit_code { KIT_DONE = 0, KIT_UNKNOWN_COMMAND = 1, KIT_BAD_LENGTH = 2, KIT_FRONT_END = 5 };
enum kit_instrument { KIT_ECG = 1, KIT_STETHOSCOPE = 2, KIT_OXIMETER = 3 };

/* mantissa x 10^exponent: exact where a binary fraction is not. */
struct kit_decimal {
    int32_t mantissa;
    int8_t exponent;
};

struct kit_channel {
    const char *name;
    const char *unit; /* UCUM */
    struct kit_decimal gain;
    struct kit_decimal offset;
};

/* How a device describes itself; constant for its life. */
struct kit_identity {
    uint8_t instrument;
    bool simulated; /* its samples never come from a patient */
    uint32_t rate_mhz;
    uint8_t bits;
    uint8_t channel_count;
    uint8_t sets_per_frame;
    const char *model;
    const char *serial;
    const char *firmware;
    const struct kit_channel *channels;
};

struct kit_status {
    uint32_t uptime_ms;
    uint32_t index;
    uint32_t lost;
    uint16_t dropped_frames;
    uint16_t bad_commands;
    uint16_t off;
    uint8_t battery_pct;
    bool streaming;
    bool charging;
};

/* Says whether every field keeps the ranges of section 5, and a full frame of samples those of section 6. */
bool kit_identity_valid(const struct kit_identity *identity);

/* Each writes a payload of at most `room` bytes and returns its size, or 0 when it does not fit. */
size_t kit_identity_write(const struct kit_identity *identity, uint8_t answers, uint8_t *payload, size_t room);
size_t kit_answer_write(uint8_t command, uint8_t answers, uint8_t code, uint8_t *payload, size_t room);
size_t kit_status_write(const struct kit_status *status, uint8_t *payload, size_t room);

/* `values` holds sets x channels numbers, set after set. */
size_t kit_samples_write(uint32_t first, uint32_t lost, uint8_t sets, uint8_t channels, const int16_t *values,
                         uint8_t *payload, size_t room);

#endif
