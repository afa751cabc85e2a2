/* Framing, finding frames and payloads against vectors.json. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fronts.h"
#include "kit_crc.h"
#include "vectors.h"

static void the_crc_has_its_published_check_value(void)
{
    CHECK(kit_crc16((const uint8_t *)"123456789", 9) == 0x29B1);
}

static void every_frame_is_written(void)
{
    for (size_t i = 0; i < FRAMES_COUNT; i++) {
        const struct frame_vector *vector = &FRAMES[i];
        uint8_t frame[KIT_MAX_FRAME];
        memcpy(frame + KIT_HEAD, vector->payload.bytes, vector->payload.size);
        size_t size = kit_frame_seal(frame, vector->type, vector->seq, vector->payload.size);
        CHECK_BYTES(frame, size, vector->frame.bytes, vector->frame.size);
    }
}

/* Feeds a stream in pieces of `step` bytes; CHECKs that exactly `wanted` is found. */
static void finds(struct octets stream, struct octets wanted, size_t step, struct kit_decoder *decoder)
{
    uint8_t found[4 * KIT_MAX_FRAME];
    size_t found_size = 0;
    kit_decoder_reset(decoder);
    for (size_t at = 0; at < stream.size;) {
        size_t rest = stream.size - at;
        at += kit_decoder_feed(decoder, stream.bytes + at, step < rest ? step : rest);
        struct kit_frame frame;
        while (kit_decoder_next(decoder, &frame)) {
            memcpy(found + found_size + KIT_HEAD, frame.payload, frame.size);
            found_size += kit_frame_seal(found + found_size, frame.type, frame.seq, frame.size);
        }
    }
    CHECK_BYTES(found, found_size, wanted.bytes, wanted.size);
}

static void every_stream_gives_its_frames_however_it_is_cut(void)
{
    struct kit_decoder decoder;
    for (size_t step = 1; step < 70; step++) {
        for (size_t i = 0; i < STREAMS_COUNT; i++) {
            finds(STREAMS[i].stream, STREAMS[i].frames, step, &decoder);
            CHECK(decoder.discarded == STREAMS[i].discarded);
            CHECK(kit_decoder_pending(&decoder) == 0);
        }
        for (size_t i = 0; i < FRAMES_COUNT; i++) {
            finds(FRAMES[i].frame, FRAMES[i].frame, step, &decoder);
            CHECK(decoder.refused == 0);
        }
    }
}

static void a_false_start_is_given_up_byte_by_byte(void)
{
    /* "A5 5A 02 00 00 04" promises 1024 bytes that never come; a start frame stands behind. */
    static const uint8_t STREAM[] = {0xA5, 0x5A, 2, 0, 0, 4, 0xA5, 0x5A, 2, 1, 0, 0, 0x98, 0x5E};
    struct kit_decoder decoder;
    struct kit_frame frame;
    kit_decoder_reset(&decoder);
    CHECK(kit_decoder_feed(&decoder, STREAM, sizeof STREAM) == sizeof STREAM);
    CHECK(!kit_decoder_next(&decoder, &frame));
    CHECK(kit_decoder_pending(&decoder) == sizeof STREAM);
    kit_decoder_expire(&decoder);
    CHECK(kit_decoder_next(&decoder, &frame));
    CHECK(frame.type == KIT_START && frame.seq == 1 && frame.size == 0);
    kit_decoder_expire(&decoder); /* nothing pends: nothing happens */
    CHECK(decoder.discarded == 6);
}

static void the_longest_frame_fits_exactly(void)
{
    uint8_t frame[KIT_MAX_FRAME] = {0};
    struct kit_decoder decoder;
    struct kit_frame found;
    size_t size = kit_frame_seal(frame, 0x55, 255, KIT_MAX_PAYLOAD);
    CHECK(size == KIT_MAX_FRAME);
    kit_decoder_reset(&decoder);
    CHECK(kit_decoder_feed(&decoder, frame, size) == size);
    CHECK(kit_decoder_feed(&decoder, frame, size) == 0); /* full until it is read */
    CHECK(kit_decoder_next(&decoder, &found));
    CHECK(found.size == KIT_MAX_PAYLOAD);
    CHECK(kit_decoder_feed(&decoder, frame, size) == size);
}

void test_framing(void)
{
    the_crc_has_its_published_check_value();
    every_frame_is_written();
    every_stream_gives_its_frames_however_it_is_cut();
    a_false_start_is_given_up_byte_by_byte();
    the_longest_frame_fits_exactly();
}

static void identities_are_written_field_by_field(void)
{
    for (size_t i = 0; i < IDENTITIES_COUNT; i++) {
        const struct identity_vector *vector = &IDENTITIES[i];
        uint8_t payload[KIT_MAX_PAYLOAD];
        size_t size = kit_identity_write(&vector->identity, vector->answers, payload, sizeof payload);
        CHECK(kit_identity_valid(&vector->identity));
        CHECK(payload[1] == KIT_MAJOR && payload[2] == KIT_MINOR);
        payload[1] = vector->major;
        payload[2] = vector->minor;
        /* A vector of a later minor version ends in two bytes that this version does not know. */
        size_t known = vector->payload.size - (vector->minor > KIT_MINOR ? 2u : 0u);
        CHECK_BYTES(payload, size, vector->payload.bytes, known);
    }
}

static void answers_are_written_field_by_field(void)
{
    for (size_t i = 0; i < ANSWERS_COUNT; i++) {
        const struct answer_vector *vector = &ANSWERS[i];
        uint8_t payload[3];
        size_t size = kit_answer_write(vector->command, vector->answers, vector->code, payload, sizeof payload);
        CHECK_BYTES(payload, size, vector->payload.bytes, vector->payload.size);
        CHECK(kit_answer_write(1, 2, 3, payload, 2) == 0);
    }
}

static void samples_are_written_set_after_set(void)
{
    for (size_t i = 0; i < SAMPLES_COUNT; i++) {
        const struct samples_vector *vector = &SAMPLES[i];
        uint8_t payload[KIT_MAX_PAYLOAD];
        size_t size = kit_samples_write(vector->first, vector->lost, vector->sets, vector->channels, vector->values,
                                        payload, sizeof payload);
        CHECK_BYTES(payload, size, vector->payload.bytes, vector->payload.size);
    }
}

static void statuses_are_written_field_by_field(void)
{
    for (size_t i = 0; i < STATUSES_COUNT; i++) {
        uint8_t payload[KIT_MAX_PAYLOAD];
        size_t size = kit_status_write(&STATUSES[i].status, payload, sizeof payload);
        CHECK_BYTES(payload, size, STATUSES[i].payload.bytes, STATUSES[i].payload.size);
    }
}

static void an_identity_outside_the_protocol_is_refused(void)
{
    static const struct kit_channel NAMELESS[] = {{"", "mV", {1, 0}, {0, 0}}};
    static const struct kit_channel FLAT[] = {{"I", "mV", {0, 0}, {0, 0}}};
    static const struct kit_channel FAR[] = {{"I", "mV", {1, 13}, {0, 0}}};
    static const struct kit_channel *const BAD[] = {NAMELESS, FLAT, FAR};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct kit_identity identity = stethoscope_identity("1", true);
        identity.channels = BAD[i];
        CHECK(!kit_identity_valid(&identity));
    }
    struct kit_identity identity = ecg_identity("A serial number of 33 characters.", true);
    CHECK(!kit_identity_valid(&identity));
    identity = ecg_identity("a=b", true);
    CHECK(!kit_identity_valid(&identity));
    identity = ecg_identity("1", true);
    identity.sets_per_frame = 43; /* 12 leads: 42 sets are 1018 bytes */
    CHECK(!kit_identity_valid(&identity));
    identity.sets_per_frame = 42;
    CHECK(kit_identity_valid(&identity));
    identity.rate_mhz = 0;
    CHECK(!kit_identity_valid(&identity));
    struct kit_device device;
    CHECK(!kit_device_reset(&device, &identity, NULL, 0));
}

void test_messages(void)
{
    identities_are_written_field_by_field();
    answers_are_written_field_by_field();
    samples_are_written_set_after_set();
    statuses_are_written_field_by_field();
    an_identity_outside_the_protocol_is_refused();
}
