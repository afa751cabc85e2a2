/* The shapes of the examples in vectors.json. */
#ifndef VECTOR_TYPES_H
#define VECTOR_TYPES_H

#include "kit_message.h"

struct octets {
    const uint8_t *bytes;
    size_t size;
};

struct frame_vector {
    const char *name;
    uint8_t type, seq;
    struct octets payload, frame;
};

struct stream_vector {
    const char *name;
    struct octets stream, frames;
    uint32_t discarded;
};

struct device_vector {
    const char *name;
    struct octets stream, answers;
    uint32_t bad_commands;
};

struct identity_vector {
    struct octets payload;
    uint8_t answers, major, minor;
    struct kit_identity identity;
};

struct answer_vector {
    struct octets payload;
    uint8_t command, answers, code;
};

struct samples_vector {
    struct octets payload;
    uint32_t first, lost;
    uint8_t sets, channels;
    const int16_t *values;
};

struct status_vector {
    struct octets payload;
    struct kit_status status;
};

#endif
