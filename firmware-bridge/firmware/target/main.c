/* The kit's front end on an STM32F405: one loop between three interrupts (time, bytes of the host, samples). */
#include "board.h"
#include "fronts.h"
#include "kit_device.h"
#include "source.h"

#ifndef FRONT
#define FRONT ecg_identity
#endif
#ifndef SERIAL
#define SERIAL "0"
#endif
#define OUT_SIZE 8192u /* 90 ms of the line, 0.6 s of an ECG */
#define READ_SIZE 64u

static struct kit_device device;
static struct kit_ring out;
static volatile uint8_t out_bytes[OUT_SIZE];

static void listen(void)
{
    uint8_t bytes[READ_SIZE];
    uint32_t starts = device.starts;
    size_t count = kit_ring_read(&board_in, bytes, sizeof bytes);
    kit_device_receive(&device, bytes, count, board_now_ms());
    if (device.starts != starts) { /* even when a stop stood before it in the same bytes */
        source_restart();
    }
}

/* Returns after a whole frame at the latest, so that the line and the host are seen to in between. */
static bool sample(void)
{
    struct kit_set set;
    uint8_t sets = device.identity->sets_per_frame;
    for (uint8_t i = 0; i < sets; i++) {
        if (!source_take(&set)) {
            return false;
        }
        kit_device_take(&device, set.index, set.values);
    }
    return true;
}

int main(void)
{
    struct clocks clocks = board_start();
    struct kit_identity identity = FRONT(SERIAL, source_simulated);
    kit_ring_reset(&out, out_bytes, OUT_SIZE);
    if (!kit_device_reset(&device, &identity, &out, board_now_ms())) {
        return 1; /* cannot happen: the host tests hold both identities valid */
    }
    source_start(&clocks, identity.channel_count);
    for (;;) {
        struct kit_sensors sensors = source_sensors();
        listen();
        kit_device_tick(&device, &sensors, board_now_ms());
        bool more = sample();
        board_send(&out);
        if (!more && kit_ring_used(&out) == 0) {
            board_sleep();
        }
    }
}
