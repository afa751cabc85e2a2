#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

void check(int so, const char *what, const char *file, int line)
{
    if (!so) {
        fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
        exit(1);
    }
}

static void print_bytes(const char *what, const uint8_t *bytes, size_t size)
{
    fprintf(stderr, "  %s", what);
    for (size_t i = 0; i < size; i++) {
        fprintf(stderr, "%02x", bytes[i]);
    }
    fprintf(stderr, "\n");
}

void check_bytes(const uint8_t *got, size_t got_size, const uint8_t *wanted, size_t wanted_size, const char *file,
                 int line)
{
    if (got_size == wanted_size && (got_size == 0 || memcmp(got, wanted, got_size) == 0)) {
        return;
    }
    print_bytes("got    ", got, got_size);
    print_bytes("wanted ", wanted, wanted_size);
    check(0, "bytes agree", file, line);
}

void bench_reset(struct bench *bench, const struct kit_identity *identity)
{
    struct kit_sensors sensors = {true, 0, 90, false};
    kit_ring_reset(&bench->out, bench->out_bytes, sizeof bench->out_bytes);
    kit_decoder_reset(&bench->reader);
    bench->sensors = sensors;
    bench->seq = 0;
    CHECK(kit_device_reset(&bench->device, identity, &bench->out, 0));
    kit_device_tick(&bench->device, &bench->sensors, 0);
}

void bench_command(struct bench *bench, uint8_t type, uint32_t now_ms)
{
    uint8_t frame[KIT_HEAD + 2 + 2] = {0};
    size_t size = type == KIT_IDENTIFY ? 2 : 0;
    frame[KIT_HEAD] = size > 0 ? KIT_MAJOR : 0;
    kit_device_receive(&bench->device, frame, kit_frame_seal(frame, type, bench->seq++, size), now_ms);
}

bool bench_next(struct bench *bench, struct kit_frame *frame)
{
    for (;;) {
        if (kit_decoder_next(&bench->reader, frame)) {
            CHECK(bench->reader.discarded == 0);
            return true;
        }
        uint8_t byte;
        if (kit_ring_read(&bench->out, &byte, 1) == 0) {
            CHECK(kit_decoder_pending(&bench->reader) == 0);
            return false;
        }
        CHECK(kit_decoder_feed(&bench->reader, &byte, 1) == 1);
    }
}

struct kit_frame bench_expect(struct bench *bench, uint8_t type)
{
    struct kit_frame frame;
    CHECK(bench_next(bench, &frame));
    CHECK(frame.type == type);
    return frame;
}

void bench_expect_answer(struct bench *bench, uint8_t command, uint8_t code)
{
    struct kit_frame answer = bench_expect(bench, KIT_ANSWER);
    CHECK(answer.size == 3);
    CHECK(answer.payload[0] == command);
    CHECK(answer.payload[1] == (uint8_t)(bench->seq - 1));
    CHECK(answer.payload[2] == code);
}

uint32_t read_u32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

int main(void)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } TESTS[] = {
        {"framing", test_framing},   {"messages", test_messages}, {"rings", test_rings}, {"commands", test_commands},
        {"samples", test_samples}, {"status", test_status},     {"clock", test_clock}, {"ads1298", test_ads1298}, {"microphone", test_microphone},
    };
    for (size_t i = 0; i < sizeof TESTS / sizeof *TESTS; i++) {
        TESTS[i].run();
        printf("%s: as specified\n", TESTS[i].name);
    }
    return 0;
}
