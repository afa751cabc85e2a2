#include "kit_frame.h"

#include "kit_crc.h"

#define SYNC_0 0xA5u
#define SYNC_1 0x5Au
#define CRC_SIZE 2u

static uint16_t read_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] | (unsigned)at[1] << 8);
}

static void write_u16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value & 0xFFu);
    at[1] = (uint8_t)(value >> 8 & 0xFFu);
}

size_t kit_frame_seal(uint8_t *frame, uint8_t type, uint8_t seq, size_t size)
{
    frame[0] = SYNC_0;
    frame[1] = SYNC_1;
    frame[2] = type;
    frame[3] = seq;
    write_u16(frame + 4, (unsigned)size);
    write_u16(frame + KIT_HEAD + size, kit_crc16(frame + 2, KIT_HEAD - 2u + size));
    return KIT_HEAD + size + CRC_SIZE;
}

void kit_decoder_reset(struct kit_decoder *decoder)
{
    decoder->first = decoder->end = 0;
    decoder->refused = decoder->discarded = 0;
}

size_t kit_decoder_pending(const struct kit_decoder *decoder)
{
    return decoder->end - decoder->first;
}

static void move_to_front(struct kit_decoder *decoder)
{
    size_t count = kit_decoder_pending(decoder);
    for (size_t i = 0; decoder->first > 0 && i < count; i++) {
        decoder->bytes[i] = decoder->bytes[decoder->first + i];
    }
    decoder->first = 0;
    decoder->end = count;
}

size_t kit_decoder_feed(struct kit_decoder *decoder, const uint8_t *bytes, size_t count)
{
    size_t taken = 0;
    move_to_front(decoder);
    while (taken < count && decoder->end < KIT_MAX_FRAME) {
        decoder->bytes[decoder->end++] = bytes[taken++];
    }
    return taken;
}

static void discard(struct kit_decoder *decoder)
{
    decoder->first++;
    decoder->discarded++;
}

/* Discards up to the next sync, or a half of one at the end (section 3, step 1). */
static void align(struct kit_decoder *decoder)
{
    const uint8_t *bytes = decoder->bytes;
    while (decoder->first < decoder->end) {
        size_t at = decoder->first;
        bool whole = at + 1u < decoder->end;
        if (bytes[at] == SYNC_0 && (!whole || bytes[at + 1u] == SYNC_1)) {
            return;
        }
        discard(decoder);
    }
}

enum verdict { INCOMPLETE, REFUSED, GOOD };

/* Section 3, steps 2 and 3, on bytes that begin with a sync. */
static enum verdict judge(const uint8_t *head, size_t count)
{
    if (count < KIT_HEAD) {
        return INCOMPLETE;
    }
    size_t size = read_u16(head + 4);
    if (size > KIT_MAX_PAYLOAD) {
        return REFUSED;
    }
    if (count < KIT_HEAD + size + CRC_SIZE) {
        return INCOMPLETE;
    }
    uint16_t crc = kit_crc16(head + 2, KIT_HEAD - 2u + size);
    return crc == read_u16(head + KIT_HEAD + size) ? GOOD : REFUSED;
}

bool kit_decoder_next(struct kit_decoder *decoder, struct kit_frame *frame)
{
    for (;;) {
        align(decoder);
        const uint8_t *head = decoder->bytes + decoder->first;
        switch (judge(head, kit_decoder_pending(decoder))) {
        case INCOMPLETE:
            return false;
        case REFUSED:
            decoder->refused++;
            discard(decoder);
            break;
        case GOOD:
            frame->type = head[2];
            frame->seq = head[3];
            frame->size = read_u16(head + 4);
            frame->payload = head + KIT_HEAD;
            decoder->first += KIT_HEAD + frame->size + CRC_SIZE;
            return true;
        }
    }
}

void kit_decoder_expire(struct kit_decoder *decoder)
{
    if (kit_decoder_pending(decoder) > 0) {
        discard(decoder);
    }
}
