/* Frames, and finding them in a stream: PROTOCOL.md sections 2 and 3. Both directions; no I/O, no allocation. */
#ifndef KIT_FRAME_H
#define KIT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KIT_HEAD 6u
#define KIT_MAX_PAYLOAD 1024u
#define KIT_MAX_FRAME 1032u

enum kit_type {
    KIT_IDENTIFY = 0x01,
    KIT_START = 0x02,
    KIT_STOP = 0x03,
    KIT_IDENTITY = 0x81,
    KIT_ANSWER = 0x82,
    KIT_SAMPLES = 0x83,
    KIT_STATUS = 0x84
};

/* One good frame; `payload` points into the decoder and is valid until the decoder is used again. */
struct kit_frame {
    uint8_t type;
    uint8_t seq;
    uint16_t size;
    const uint8_t *payload;
};

/* Makes a frame of a payload that already stands at frame + KIT_HEAD.
 * `frame` has room for KIT_HEAD + size + 2 bytes; size is at most KIT_MAX_PAYLOAD. Returns the frame's bytes. */
size_t kit_frame_seal(uint8_t *frame, uint8_t type, uint8_t seq, size_t size);

/* Finds frames in bytes cut anywhere. Counters wrap. */
struct kit_decoder {
    uint8_t bytes[KIT_MAX_FRAME];
    size_t first; /* of the bytes not yet decided upon */
    size_t end;   /* behind the last byte received */
    uint32_t refused;   /* candidates refused for their length or CRC */
    uint32_t discarded; /* bytes discarded */
};

void kit_decoder_reset(struct kit_decoder *decoder);

/* Takes as many bytes as there is room for and returns how many: at least one, if kit_decoder_next has just
 * said false. */
size_t kit_decoder_feed(struct kit_decoder *decoder, const uint8_t *bytes, size_t count);

/* Says whether there is another good frame, and which. */
bool kit_decoder_next(struct kit_decoder *decoder, struct kit_frame *frame);

/* Bytes of an incomplete candidate, once kit_decoder_next has said false. */
size_t kit_decoder_pending(const struct kit_decoder *decoder);

/* The line is quiet: gives up the candidate's first byte. Ask kit_decoder_next again, and repeat while
 * something is pending. */
void kit_decoder_expire(struct kit_decoder *decoder);

#endif
