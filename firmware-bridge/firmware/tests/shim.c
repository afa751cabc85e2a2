/* One device and one decoder behind plain functions, for tests in another language (ctypes). Times in ms. */
#include <string.h>

#include "fronts.h"
#include "kit_device.h"
#include "microphone.h"

void shim_power_on(int ecg, const char *serial, int simulated, uint32_t now_ms);
void shim_receive(const uint8_t *bytes, size_t count, uint32_t now_ms);
void shim_tick(int ready, uint16_t off, uint8_t battery_pct, int charging, uint32_t now_ms);
void shim_take(uint32_t first, const int16_t *values, size_t sets);
size_t shim_read(uint8_t *bytes, size_t room);
void shim_decoder_reset(void);
size_t shim_decode(const uint8_t *bytes, size_t count, uint8_t *frames);
size_t shim_expire(uint8_t *frames);
uint32_t shim_refused(void);
uint32_t shim_discarded(void);
size_t shim_listen(const uint32_t *slots, size_t count, int louder, int16_t *sound);

static struct kit_identity identity;
static struct kit_device device;
static struct kit_ring out;
static volatile uint8_t out_bytes[1u << 16];
static char serial_kept[33];
static struct kit_decoder decoder;

void shim_power_on(int ecg, const char *serial, int simulated, uint32_t now_ms)
{
    strncpy(serial_kept, serial, sizeof serial_kept - 1u);
    identity = ecg != 0 ? ecg_identity(serial_kept, simulated != 0) : stethoscope_identity(serial_kept, simulated != 0);
    kit_ring_reset(&out, out_bytes, sizeof out_bytes);
    (void)kit_device_reset(&device, &identity, &out, now_ms);
}

void shim_receive(const uint8_t *bytes, size_t count, uint32_t now_ms)
{
    kit_device_receive(&device, bytes, count, now_ms);
}

void shim_tick(int ready, uint16_t off, uint8_t battery_pct, int charging, uint32_t now_ms)
{
    struct kit_sensors sensors = {ready != 0, off, battery_pct, charging != 0};
    kit_device_tick(&device, &sensors, now_ms);
}

/* `values` set after set. */
void shim_take(uint32_t first, const int16_t *values, size_t sets)
{
    for (size_t i = 0; i < sets; i++) {
        kit_device_take(&device, first + (uint32_t)i, values + i * identity.channel_count);
    }
}

size_t shim_read(uint8_t *bytes, size_t room)
{
    return kit_ring_read(&out, bytes, room);
}

void shim_decoder_reset(void)
{
    kit_decoder_reset(&decoder);
}

/* Writes the frames found, whole, one after the other. */
static size_t found(uint8_t *frames)
{
    struct kit_frame frame;
    size_t size = 0;
    while (kit_decoder_next(&decoder, &frame)) {
        memcpy(frames + size + KIT_HEAD, frame.payload, frame.size);
        size += kit_frame_seal(frames + size, frame.type, frame.seq, frame.size);
    }
    return size;
}

size_t shim_decode(const uint8_t *bytes, size_t count, uint8_t *frames)
{
    size_t size = 0;
    while (count > 0) {
        size_t taken = kit_decoder_feed(&decoder, bytes, count);
        bytes += taken;
        count -= taken;
        size += found(frames + size);
    }
    return size;
}

size_t shim_expire(uint8_t *frames)
{
    size_t size = 0;
    while (kit_decoder_pending(&decoder) > 0) {
        kit_decoder_expire(&decoder);
        size += found(frames + size);
    }
    return size;
}

uint32_t shim_refused(void)
{
    return decoder.refused;
}

uint32_t shim_discarded(void)
{
    return decoder.discarded;
}

/* A microphone from its first slot on; returns the samples of sound. */
size_t shim_listen(const uint32_t *slots, size_t count, int louder, int16_t *sound)
{
    struct microphone microphone;
    size_t given = 0;
    microphone_reset(&microphone, (uint8_t)louder);
    for (size_t i = 0; i < count; i++) {
        given += microphone_read(&microphone, slots[i], sound + given) ? 1u : 0u;
    }
    return given;
}
