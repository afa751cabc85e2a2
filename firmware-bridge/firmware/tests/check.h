/* A test is a function; CHECK ends the program with the place when something is not so. */
#ifndef CHECK_H
#define CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "kit_device.h"

#define CHECK(so) check((so), #so, __FILE__, __LINE__)
#define CHECK_BYTES(got, got_size, wanted, wanted_size) \
    check_bytes((got), (got_size), (wanted), (wanted_size), __FILE__, __LINE__)

void check(int so, const char *what, const char *file, int line);
void check_bytes(const uint8_t *got, size_t got_size, const uint8_t *wanted, size_t wanted_size, const char *file,
                 int line);

/* A device with its output, for tests. */
struct bench {
    struct kit_device device;
    struct kit_ring out;
    volatile uint8_t out_bytes[8192];
    struct kit_decoder reader;
    struct kit_sensors sensors;
    uint8_t seq; /* of the next command */
};

/* Fresh from power-on at 0 ms, front end ready, battery 90 %. */
void bench_reset(struct bench *bench, const struct kit_identity *identity);

void bench_command(struct bench *bench, uint8_t type, uint32_t now_ms);

/* The next frame that the device has sent, or false; CHECKs that no noise stands between frames. */
bool bench_next(struct bench *bench, struct kit_frame *frame);

/* The next frame, which must be of that type. */
struct kit_frame bench_expect(struct bench *bench, uint8_t type);

void bench_expect_answer(struct bench *bench, uint8_t command, uint8_t code);

uint32_t read_u32(const uint8_t *at);

void test_framing(void);
void test_messages(void);
void test_rings(void);
void test_commands(void);
void test_samples(void);
void test_status(void);
void test_clock(void);
void test_ads1298(void);
void test_microphone(void);

#endif
