/* The device as the host sees it: commands, samples, status. */
#include <string.h>

#include "check.h"
#include "fronts.h"
#include "vectors.h"

static struct bench bench;

static void fresh_stethoscope(void)
{
    static struct kit_identity identity;
    identity = stethoscope_identity("S0001", false);
    bench_reset(&bench, &identity);
}

static void started_stethoscope(void)
{
    fresh_stethoscope();
    bench_command(&bench, KIT_START, 1);
    bench_expect_answer(&bench, KIT_START, KIT_DONE);
}

static void take(uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int16_t value = (int16_t)((first + i) % 30000u);
        kit_device_take(&bench.device, first + i, &value);
    }
}

/* CHECKs the next samples frame: consecutive sets whose value is their index. */
static void expect_samples(uint32_t first, uint32_t lost, uint8_t sets)
{
    struct kit_frame frame = bench_expect(&bench, KIT_SAMPLES);
    CHECK(frame.size == KIT_SAMPLES_HEAD + 2u * sets);
    CHECK(read_u32(frame.payload) == first);
    CHECK(read_u32(frame.payload + 4) == lost);
    CHECK(frame.payload[8] == sets && frame.payload[9] == 1);
    for (uint32_t i = 0; i < sets; i++) {
        const uint8_t *at = frame.payload + KIT_SAMPLES_HEAD + 2u * i;
        CHECK((uint32_t)(at[0] | at[1] << 8) == (first + i) % 30000u);
    }
}

static void expect_silence(void)
{
    struct kit_frame frame;
    CHECK(!bench_next(&bench, &frame));
}

static void every_stream_to_the_device_gets_its_answers(void)
{
    for (size_t i = 0; i < TO_DEVICE_COUNT; i++) {
        const struct device_vector *vector = &TO_DEVICE[i];
        uint8_t sent[2048];
        fresh_stethoscope();
        kit_device_receive(&bench.device, vector->stream.bytes, vector->stream.size, 0);
        kit_device_tick(&bench.device, &bench.sensors, 99);
        kit_device_tick(&bench.device, &bench.sensors, 100); /* the line is quiet */
        size_t size = kit_ring_read(&bench.out, sent, sizeof sent);
        CHECK_BYTES(sent, size, vector->answers.bytes, vector->answers.size);
        CHECK(bench.device.decoder.refused == vector->bad_commands);
    }
}

static void a_silent_front_end_refuses_the_start_until_it_answers(void)
{
    fresh_stethoscope();
    bench.sensors.ready = false;
    kit_device_tick(&bench.device, &bench.sensors, 5);
    bench_command(&bench, KIT_START, 6);
    bench_expect_answer(&bench, KIT_START, KIT_FRONT_END);
    take(0, 200);
    bench.sensors.ready = true;
    kit_device_tick(&bench.device, &bench.sensors, 7);
    bench_command(&bench, KIT_START, 8);
    bench_expect_answer(&bench, KIT_START, KIT_DONE);
    expect_silence();
}

static void a_repeated_start_changes_nothing_and_a_new_one_begins_at_zero(void)
{
    started_stethoscope();
    take(0, 130);
    bench_command(&bench, KIT_START, 20);
    expect_samples(0, 0, 100);
    bench_expect_answer(&bench, KIT_START, KIT_DONE);
    take(130, 70);
    expect_samples(100, 0, 100);
    bench_command(&bench, KIT_STOP, 30);
    bench_expect_answer(&bench, KIT_STOP, KIT_DONE);
    bench_command(&bench, KIT_START, 40);
    bench_expect_answer(&bench, KIT_START, KIT_DONE);
    take(0, 100);
    expect_samples(0, 0, 100);
}

static void a_stop_and_a_start_at_once_are_two_streams(void)
{
    uint8_t both[16];
    started_stethoscope();
    take(0, 100);
    expect_samples(0, 0, 100);
    CHECK(kit_frame_seal(both, KIT_STOP, 7, 0) == 8 && kit_frame_seal(both + 8, KIT_START, 8, 0) == 8);
    CHECK(bench.device.starts == 1);
    kit_device_receive(&bench.device, both, sizeof both, 50);
    CHECK(bench.device.starts == 2 && bench.device.streaming && bench.device.index == 0);
}

static void what_was_gathered_goes_out_before_the_answer_to_stop(void)
{
    started_stethoscope();
    take(0, 117);
    bench_command(&bench, KIT_STOP, 30);
    take(117, 300);
    expect_samples(0, 0, 100);
    expect_samples(100, 0, 17);
    bench_expect_answer(&bench, KIT_STOP, KIT_DONE);
    expect_silence();
}

static void a_flood_longer_than_the_buffer_is_parsed_whole(void)
{
    static uint8_t flood[300 * 8];
    fresh_stethoscope();
    for (unsigned i = 0; i < 300; i++) {
        CHECK(kit_frame_seal(flood + 8 * i, KIT_STOP, (uint8_t)(i & 0xFFu), 0) == 8);
    }
    kit_device_receive(&bench.device, flood, sizeof flood, 5);
    for (unsigned i = 0; i < 300; i++) {
        struct kit_frame answer = bench_expect(&bench, KIT_ANSWER);
        CHECK(answer.seq == (i & 0xFFu) && answer.payload[1] == (i & 0xFFu));
    }
    expect_silence();
}

void test_commands(void)
{
    every_stream_to_the_device_gets_its_answers();
    a_silent_front_end_refuses_the_start_until_it_answers();
    a_repeated_start_changes_nothing_and_a_new_one_begins_at_zero();
    a_stop_and_a_start_at_once_are_two_streams();
    what_was_gathered_goes_out_before_the_answer_to_stop();
    a_flood_longer_than_the_buffer_is_parsed_whole();
}

static void an_overrun_is_counted_and_the_index_runs_on(void)
{
    started_stethoscope();
    take(0, 130);
    take(150, 170);
    expect_samples(0, 0, 100);
    expect_samples(100, 0, 30);
    expect_samples(150, 20, 100);
    take(320, 30);
    expect_samples(250, 20, 100);
}

static void the_index_wraps(void)
{
    started_stethoscope();
    bench.device.index = UINT32_MAX - 49u;
    for (uint32_t i = 0; i < 100; i++) {
        int16_t value = (int16_t)i;
        kit_device_take(&bench.device, UINT32_MAX - 49u + i, &value);
    }
    struct kit_frame frame = bench_expect(&bench, KIT_SAMPLES);
    CHECK(read_u32(frame.payload) == UINT32_MAX - 49u && read_u32(frame.payload + 4) == 0);
    CHECK(bench.device.index == 50);
}

static void a_host_that_does_not_read_loses_whole_frames_and_still_gets_answers(void)
{
    started_stethoscope();
    take(0, 10000); /* 100 frames of 218 bytes into 8192 */
    uint32_t kept = (8192u - KIT_RESERVE) / 218u;
    CHECK(bench.device.dropped_frames == 100u - kept);
    CHECK(bench.device.lost == (100u - kept) * 100u);
    bench_command(&bench, KIT_IDENTIFY, 20);
    bench_command(&bench, KIT_START, 21);
    for (uint32_t i = 0; i < kept; i++) {
        expect_samples(100u * i, 0, 100);
    }
    struct kit_frame identity = bench_expect(&bench, KIT_IDENTITY);
    CHECK(identity.seq == kept + 1u); /* a frame that was not sent takes no seq */
    bench_expect_answer(&bench, KIT_START, KIT_DONE);
    take(10000, 100);
    expect_samples(10000, (100u - kept) * 100u, 100);
    bench.sensors.off = 0;
    kit_device_tick(&bench.device, &bench.sensors, 1000);
    struct kit_frame status = bench_expect(&bench, KIT_STATUS);
    CHECK(read_u32(status.payload + 4) == 10100 && read_u32(status.payload + 8) == (100u - kept) * 100u);
    CHECK(status.payload[12] == 100u - kept);
}

static void twelve_leads_travel_set_after_set(void)
{
    struct kit_identity identity = ecg_identity("E0001", true);
    uint8_t wanted[KIT_MAX_PAYLOAD];
    int16_t sets[25][12];
    bench_reset(&bench, &identity);
    bench_command(&bench, KIT_START, 1);
    bench_expect_answer(&bench, KIT_START, KIT_DONE);
    for (int i = 0; i < 25; i++) {
        for (int lead = 0; lead < 12; lead++) {
            sets[i][lead] = (int16_t)(lead % 2 ? -32768 + 12 * i + lead : 32767 - 12 * i - lead);
        }
        kit_device_take(&bench.device, (uint32_t)i, sets[i]);
    }
    struct kit_frame frame = bench_expect(&bench, KIT_SAMPLES);
    size_t size = kit_samples_write(0, 0, 25, 12, sets[0], wanted, sizeof wanted);
    CHECK(size == 610);
    CHECK_BYTES(frame.payload, frame.size, wanted, size);
}

void test_samples(void)
{
    an_overrun_is_counted_and_the_index_runs_on();
    the_index_wraps();
    a_host_that_does_not_read_loses_whole_frames_and_still_gets_answers();
    twelve_leads_travel_set_after_set();
}

static unsigned statuses_until(uint32_t from, uint32_t to)
{
    unsigned count = 0;
    struct kit_frame frame;
    for (uint32_t now = from; now != to; now++) {
        kit_device_tick(&bench.device, &bench.sensors, now);
        while (bench_next(&bench, &frame)) {
            CHECK(frame.type == KIT_STATUS && frame.size == 20);
            CHECK(read_u32(frame.payload) == now);
            count++;
        }
    }
    return count;
}

static void the_status_comes_once_a_second_from_power_on(void)
{
    fresh_stethoscope();
    CHECK(statuses_until(0, 1000) == 0);
    CHECK(statuses_until(1000, 1001) == 1);
    CHECK(statuses_until(1001, 60001) == 59);
    kit_device_tick(&bench.device, &bench.sensors, 65500); /* the loop was late: one, not five */
    (void)bench_expect(&bench, KIT_STATUS);
    expect_silence();
    CHECK(statuses_until(65501, 66000) == 0);
    CHECK(statuses_until(66000, 66001) == 1);
}

static void the_status_goes_on_when_the_clock_wraps(void)
{
    struct kit_identity identity = stethoscope_identity("1", false);
    fresh_stethoscope();
    CHECK(kit_device_reset(&bench.device, &identity, &bench.out, UINT32_MAX - 2499u));
    CHECK(statuses_until(UINT32_MAX - 2499u, 2501) == 5);
}

static void a_changed_contact_is_told_at_once_but_ten_times_a_second_at_most(void)
{
    fresh_stethoscope();
    bench.sensors.off = 1;
    kit_device_tick(&bench.device, &bench.sensors, 10);
    struct kit_frame status = bench_expect(&bench, KIT_STATUS);
    CHECK(status.payload[16] == 1);
    bench.sensors.off = 0;
    CHECK(statuses_until(11, 110) == 0);
    CHECK(statuses_until(110, 111) == 1);
    unsigned count = 0;
    for (uint32_t now = 111; now < 1111; now++) {
        bench.sensors.off ^= 1;
        count += statuses_until(now, now + 1u);
    }
    CHECK(count >= 9 && count <= 11);
}

static void a_contact_that_could_not_be_told_is_told_later(void)
{
    static uint8_t filler[8192];
    fresh_stethoscope();
    CHECK(kit_ring_write(&bench.out, filler, sizeof filler));
    bench.sensors.off = 1;
    kit_device_tick(&bench.device, &bench.sensors, 10);
    CHECK(bench.device.dropped_frames == 1);
    CHECK(kit_ring_read(&bench.out, filler, sizeof filler) == sizeof filler);
    CHECK(statuses_until(11, 111) == 1);
}

static void the_status_tells_what_the_device_is_doing(void)
{
    static const uint8_t NOISE[] = {0xA5, 0x5A, 2, 0, 0xFF, 0xFF, 0xA5, 0x5A, 2, 1, 0, 0, 0, 0};
    started_stethoscope();
    take(0, 60);
    kit_device_receive(&bench.device, NOISE, sizeof NOISE, 500);
    bench.sensors.battery_pct = 55;
    bench.sensors.charging = true;
    kit_device_tick(&bench.device, &bench.sensors, 1000);
    struct kit_frame status = bench_expect(&bench, KIT_STATUS);
    CHECK(read_u32(status.payload) == 1000 && read_u32(status.payload + 4) == 60);
    CHECK(status.payload[14] == 2 && status.payload[18] == 55 && status.payload[19] == 3);
    bench_command(&bench, KIT_STOP, 1500);
    kit_device_tick(&bench.device, &bench.sensors, 2000);
    expect_samples(0, 0, 60);
    bench_expect_answer(&bench, KIT_STOP, KIT_DONE);
    status = bench_expect(&bench, KIT_STATUS);
    CHECK(read_u32(status.payload + 4) == 0 && status.payload[19] == 2);
}

void test_status(void)
{
    the_status_comes_once_a_second_from_power_on();
    the_status_goes_on_when_the_clock_wraps();
    a_changed_contact_is_told_at_once_but_ten_times_a_second_at_most();
    a_contact_that_could_not_be_told_is_told_later();
    the_status_tells_what_the_device_is_doing();
}
