/* The device against any input. The first byte of the input chooses the front end; then each byte chooses what
 * happens next: bytes from the host, time, samples, gaps, a change of the sensors, a host that reads or does not.
 *
 * Held: nothing is read or written out of bounds, no behaviour is undefined (the sanitizers watch), and whatever
 * came in, what goes out is whole good frames in sequence, whose samples stand at their own index. */
#include <stdlib.h>

#include "fronts.h"
#include "kit_device.h"
#include "kit_sets.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

struct input {
    const uint8_t *at;
    size_t left;
};

static struct kit_device device;
static struct kit_ring out;
static volatile uint8_t out_bytes[2048];
static struct kit_decoder reader;
static uint8_t expected_seq;
static uint32_t index_now; /* of the next set, as the acquisition counts */

static void must(bool so)
{
    if (!so) {
        abort();
    }
}

static uint8_t next_u8(struct input *input)
{
    if (input->left == 0) {
        return 0;
    }
    input->left--;
    return *input->at++;
}

static void check_samples(const struct kit_frame *frame)
{
    const uint8_t *at = frame->payload;
    uint32_t first = at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
    unsigned sets = at[8], channels = at[9];
    must(frame->size == KIT_SAMPLES_HEAD + 2u * sets * channels && sets > 0);
    must(channels == device.identity->channel_count);
    for (unsigned i = 0; i < sets; i++) {
        at = frame->payload + KIT_SAMPLES_HEAD + 2u * channels * i;
        must((unsigned)(at[0] | at[1] << 8) == (first + i) % 30000u);
    }
}

static void host_reads(void)
{
    uint8_t bytes[64];
    size_t count;
    while ((count = kit_ring_read(&out, bytes, sizeof bytes)) > 0) {
        struct kit_frame frame;
        must(kit_decoder_feed(&reader, bytes, count) == count);
        while (kit_decoder_next(&reader, &frame)) {
            must(frame.type >= KIT_IDENTITY && frame.seq == expected_seq++);
            if (frame.type == KIT_SAMPLES) {
                check_samples(&frame);
            }
        }
    }
    must(reader.discarded == 0 && kit_decoder_pending(&reader) == 0);
}

static void take(unsigned count)
{
    int16_t values[KIT_MAX_CHANNELS];
    for (; count > 0; count--, index_now++) {
        for (unsigned i = 0; i < KIT_MAX_CHANNELS; i++) {
            values[i] = (int16_t)(index_now % 30000u);
        }
        kit_device_take(&device, index_now, values);
    }
}

static void receive(struct input *input, unsigned count, uint32_t now)
{
    size_t taken = count < input->left ? count : input->left;
    uint32_t starts = device.starts;
    kit_device_receive(&device, input->at, taken, now);
    input->at += taken;
    input->left -= taken;
    if (device.starts != starts) {
        index_now = 0;
    }
}

/* A whole good command, which random bytes hardly ever are. */
static void command(struct input *input, uint32_t now)
{
    uint8_t frame[KIT_MAX_FRAME];
    uint8_t type = next_u8(input), seq = next_u8(input);
    size_t size = next_u8(input) % 8u;
    for (size_t i = 0; i < size; i++) {
        frame[KIT_HEAD + i] = next_u8(input);
    }
    struct input whole = {frame, kit_frame_seal(frame, type % 5u, seq, size)};
    receive(&whole, (unsigned)whole.left, now);
}

static void step(struct input *input, struct kit_sensors *sensors, uint32_t *now)
{
    uint8_t what = next_u8(input);
    unsigned much = what >> 3;
    switch (what & 7u) {
    case 0:
        receive(input, much, *now);
        break;
    case 1:
        receive(input, 32u * much, *now);
        break;
    case 2:
        command(input, *now);
        break;
    case 3:
        take(8u * much);
        break;
    case 4:
        index_now += much;
        break;
    case 5:
        sensors->off = (uint16_t)(sensors->off ^ 1u << much % 16u);
        sensors->ready = much != 7u;
        break;
    case 6:
        *now += 10u * much;
        break;
    default:
        host_reads();
    }
    kit_device_tick(&device, sensors, *now);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    struct kit_sensors sensors = {true, 0, 50, false};
    bool ecg = (next_u8(&input) & 1u) != 0;
    struct kit_identity identity = ecg ? ecg_identity("1", true) : stethoscope_identity("1", true);
    uint32_t now = UINT32_MAX - 5000u; /* so that the clock wraps */
    kit_ring_reset(&out, out_bytes, sizeof out_bytes);
    kit_decoder_reset(&reader);
    expected_seq = 0;
    index_now = 0;
    must(kit_device_reset(&device, &identity, &out, now));
    while (input.left > 0) {
        step(&input, &sensors, &now);
    }
    host_reads();
    return 0;
}
