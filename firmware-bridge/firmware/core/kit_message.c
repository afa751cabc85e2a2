#include "kit_message.h"

#include "kit_frame.h"
#include "kit_sets.h"

#define MAX_TEXT 32u
#define MAX_EXPONENT 12
#define MAX_BITS 16u

/* Bytes written so far, never beyond `room`; once something did not fit, `full` stays set. */
struct cursor {
    uint8_t *bytes;
    size_t size;
    size_t room;
    bool full;
};

static struct cursor cursor_at(uint8_t *bytes, size_t room)
{
    struct cursor fresh = {bytes, 0, room, false};
    return fresh;
}

static size_t written(const struct cursor *cursor)
{
    return cursor->full ? 0 : cursor->size;
}

static void put_u8(struct cursor *cursor, unsigned value)
{
    if (cursor->size >= cursor->room) {
        cursor->full = true;
        return;
    }
    cursor->bytes[cursor->size++] = (uint8_t)(value & 0xFFu);
}

static void put_u16(struct cursor *cursor, unsigned value)
{
    put_u8(cursor, value);
    put_u8(cursor, value >> 8);
}

static void put_u32(struct cursor *cursor, uint32_t value)
{
    put_u16(cursor, (unsigned)(value & 0xFFFFu));
    put_u16(cursor, (unsigned)(value >> 16));
}

static size_t length(const char *text)
{
    size_t size = 0;
    while (size <= MAX_TEXT && text[size] != '\0') {
        size++;
    }
    return size;
}

static void put_text(struct cursor *cursor, const char *text)
{
    size_t size = length(text);
    put_u8(cursor, (unsigned)size);
    for (size_t i = 0; i < size; i++) {
        put_u8(cursor, (unsigned char)text[i]);
    }
}

static void put_decimal(struct cursor *cursor, struct kit_decimal number)
{
    put_u32(cursor, (uint32_t)number.mantissa); /* modulo 2^32: two's complement */
    put_u8(cursor, (uint8_t)number.exponent);
}

static bool text_valid(const char *text, size_t least)
{
    size_t size = length(text);
    for (size_t i = 0; i < size; i++) {
        if (text[i] < 0x20 || text[i] > 0x7E || text[i] == ';' || text[i] == '=') {
            return false;
        }
    }
    return size >= least && size <= MAX_TEXT;
}

static bool decimal_valid(struct kit_decimal number)
{
    return number.exponent >= -MAX_EXPONENT && number.exponent <= MAX_EXPONENT;
}

static bool channel_valid(const struct kit_channel *channel)
{
    return text_valid(channel->name, 1) && text_valid(channel->unit, 1) && decimal_valid(channel->gain) &&
           decimal_valid(channel->offset) && channel->gain.mantissa != 0;
}

static bool counts_valid(const struct kit_identity *identity)
{
    unsigned values = (unsigned)identity->sets_per_frame * identity->channel_count;
    return identity->rate_mhz > 0 && identity->bits >= 1 && identity->bits <= MAX_BITS &&
           identity->channel_count >= 1 && identity->channel_count <= KIT_MAX_CHANNELS &&
           identity->sets_per_frame >= 1 && KIT_SAMPLES_HEAD + 2u * values <= KIT_MAX_PAYLOAD;
}

bool kit_identity_valid(const struct kit_identity *identity)
{
    if (!counts_valid(identity) || !text_valid(identity->model, 0) || !text_valid(identity->serial, 0) ||
        !text_valid(identity->firmware, 0)) {
        return false;
    }
    for (uint8_t i = 0; i < identity->channel_count; i++) {
        if (!channel_valid(&identity->channels[i])) {
            return false;
        }
    }
    uint8_t payload[KIT_MAX_PAYLOAD];
    return kit_identity_write(identity, 0, payload, sizeof payload) > 0;
}

size_t kit_identity_write(const struct kit_identity *identity, uint8_t answers, uint8_t *payload, size_t room)
{
    struct cursor cursor = cursor_at(payload, room);
    put_u8(&cursor, answers);
    put_u8(&cursor, KIT_MAJOR);
    put_u8(&cursor, KIT_MINOR);
    put_u8(&cursor, identity->instrument);
    put_u8(&cursor, identity->simulated ? 1u : 0u);
    put_u32(&cursor, identity->rate_mhz);
    put_u8(&cursor, identity->bits);
    put_u8(&cursor, identity->channel_count);
    put_text(&cursor, identity->model);
    put_text(&cursor, identity->serial);
    put_text(&cursor, identity->firmware);
    for (uint8_t i = 0; i < identity->channel_count; i++) {
        put_text(&cursor, identity->channels[i].name);
        put_text(&cursor, identity->channels[i].unit);
        put_decimal(&cursor, identity->channels[i].gain);
        put_decimal(&cursor, identity->channels[i].offset);
    }
    return written(&cursor);
}

size_t kit_answer_write(uint8_t command, uint8_t answers, uint8_t code, uint8_t *payload, size_t room)
{
    struct cursor cursor = cursor_at(payload, room);
    put_u8(&cursor, command);
    put_u8(&cursor, answers);
    put_u8(&cursor, code);
    return written(&cursor);
}

size_t kit_status_write(const struct kit_status *status, uint8_t *payload, size_t room)
{
    struct cursor cursor = cursor_at(payload, room);
    put_u32(&cursor, status->uptime_ms);
    put_u32(&cursor, status->index);
    put_u32(&cursor, status->lost);
    put_u16(&cursor, status->dropped_frames);
    put_u16(&cursor, status->bad_commands);
    put_u16(&cursor, status->off);
    put_u8(&cursor, status->battery_pct);
    put_u8(&cursor, (status->streaming ? 1u : 0u) | (status->charging ? 2u : 0u));
    return written(&cursor);
}

size_t kit_samples_write(uint32_t first, uint32_t lost, uint8_t sets, uint8_t channels, const int16_t *values,
                         uint8_t *payload, size_t room)
{
    struct cursor cursor = cursor_at(payload, room);
    put_u32(&cursor, first);
    put_u32(&cursor, lost);
    put_u8(&cursor, sets);
    put_u8(&cursor, channels);
    size_t count = (size_t)sets * channels;
    for (size_t i = 0; i < count; i++) {
        put_u16(&cursor, (uint16_t)values[i]); /* modulo 2^16: two's complement */
    }
    return written(&cursor);
}
