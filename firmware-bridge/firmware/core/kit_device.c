#include "kit_device.h"

#define QUIET_MS 100u         /* section 3, quiet line, device */
#define STATUS_MS 1000u       /* section 7: "once a second" */
#define STATUS_LEAST_MS 100u  /* section 7: "at most 10 a second" */
#define FIRST_TO_HOST 0x80u   /* section 2, types */
#define IDENTIFY_SIZE 2u

bool kit_device_reset(struct kit_device *device, const struct kit_identity *identity, struct kit_ring *out,
                      uint32_t now_ms)
{
    if (!kit_identity_valid(identity)) {
        return false;
    }
    static const struct kit_sensors UNKNOWN = {false, 0, KIT_BATTERY_UNKNOWN, false};
    device->identity = identity;
    device->out = out;
    kit_decoder_reset(&device->decoder);
    device->sensors = UNKNOWN;
    device->batch_sets = 0;
    device->streaming = false;
    device->starts = 0;
    device->seq = 0;
    device->dropped_frames = 0;
    device->index = device->lost = 0;
    device->heard_at = now_ms;
    device->status_at = now_ms + STATUS_MS;
    device->told_at = now_ms - STATUS_MS;
    device->off_told = 0;
    return true;
}

static uint8_t *payload(struct kit_device *device)
{
    return device->frame + KIT_HEAD;
}

/* Sends the payload that stands in the frame, whole or not at all. */
static bool send(struct kit_device *device, uint8_t type, size_t size, uint32_t reserve)
{
    if (kit_ring_free(device->out) < KIT_HEAD + size + 2u + reserve) {
        device->dropped_frames++;
        return false;
    }
    size_t whole = kit_frame_seal(device->frame, type, device->seq, size);
    device->seq++;
    return kit_ring_write(device->out, device->frame, whole);
}

/* Sends the sets gathered so far, or counts them as lost. */
static void flush(struct kit_device *device)
{
    uint8_t sets = device->batch_sets;
    if (sets == 0) {
        return;
    }
    device->batch_sets = 0;
    size_t size = kit_samples_write(device->index - sets, device->lost, sets, device->identity->channel_count,
                                    device->batch, payload(device), KIT_MAX_PAYLOAD);
    if (!send(device, KIT_SAMPLES, size, KIT_RESERVE)) {
        device->lost += sets;
    }
}

void kit_device_take(struct kit_device *device, uint32_t index, const int16_t *values)
{
    if (!device->streaming) {
        return;
    }
    if (index != device->index) {
        flush(device); /* sets of one frame are consecutive */
        device->lost += index - device->index;
        device->index = index;
    }
    uint8_t channels = device->identity->channel_count;
    int16_t *slot = device->batch + (size_t)device->batch_sets * channels;
    for (uint8_t i = 0; i < channels; i++) {
        slot[i] = values[i];
    }
    device->index++;
    device->batch_sets++;
    if (device->batch_sets == device->identity->sets_per_frame) {
        flush(device);
    }
}

static void answer(struct kit_device *device, const struct kit_frame *command, enum kit_code code)
{
    size_t size = kit_answer_write(command->type, command->seq, (uint8_t)code, payload(device), KIT_MAX_PAYLOAD);
    (void)send(device, KIT_ANSWER, size, 0); /* what does not fit is counted; the host repeats */
}

static void identify(struct kit_device *device, const struct kit_frame *command)
{
    if (command->size < IDENTIFY_SIZE) {
        answer(device, command, KIT_BAD_LENGTH);
        return;
    }
    size_t size = kit_identity_write(device->identity, command->seq, payload(device), KIT_MAX_PAYLOAD);
    (void)send(device, KIT_IDENTITY, size, 0);
}

static void start(struct kit_device *device, const struct kit_frame *command)
{
    if (!device->streaming) {
        if (!device->sensors.ready) {
            answer(device, command, KIT_FRONT_END);
            return;
        }
        device->streaming = true;
        device->starts++;
        device->index = device->lost = 0;
        device->batch_sets = 0;
    }
    answer(device, command, KIT_DONE);
}

static void stop(struct kit_device *device, const struct kit_frame *command)
{
    flush(device); /* no samples may follow the answer */
    device->streaming = false;
    answer(device, command, KIT_DONE);
}

static void obey(struct kit_device *device, const struct kit_frame *command)
{
    if (command->type >= FIRST_TO_HOST) {
        return; /* our own frames come back on a looped line: answering would never end */
    }
    switch (command->type) {
    case KIT_IDENTIFY:
        identify(device, command);
        break;
    case KIT_START:
        start(device, command);
        break;
    case KIT_STOP:
        stop(device, command);
        break;
    default:
        answer(device, command, KIT_UNKNOWN_COMMAND);
    }
}

static void obey_all(struct kit_device *device)
{
    struct kit_frame command;
    while (kit_decoder_next(&device->decoder, &command)) {
        obey(device, &command);
    }
}

void kit_device_receive(struct kit_device *device, const uint8_t *bytes, size_t count, uint32_t now_ms)
{
    if (count > 0) {
        device->heard_at = now_ms;
    }
    while (count > 0) {
        size_t taken = kit_decoder_feed(&device->decoder, bytes, count);
        bytes += taken;
        count -= taken;
        obey_all(device);
    }
}

static void tell(struct kit_device *device, uint32_t now_ms)
{
    const struct kit_sensors *sensors = &device->sensors;
    struct kit_status status = {now_ms,
                                device->streaming ? device->index : 0,
                                device->lost,
                                device->dropped_frames,
                                (uint16_t)(device->decoder.refused & 0xFFFFu),
                                sensors->off,
                                sensors->battery_pct,
                                device->streaming,
                                sensors->charging};
    size_t size = kit_status_write(&status, payload(device), KIT_MAX_PAYLOAD);
    device->told_at = now_ms;
    if (send(device, KIT_STATUS, size, 0)) {
        device->off_told = sensors->off; /* else it is told again */
    }
}

/* Says whether the periodic status is due, and sets the next one on the same grid of seconds. */
static bool second_over(struct kit_device *device, uint32_t now_ms)
{
    uint32_t late = now_ms - device->status_at;
    if (late > UINT32_MAX / 2u) {
        return false; /* still ahead, also across the clock's wrap */
    }
    device->status_at += STATUS_MS * (1u + late / STATUS_MS);
    return true;
}

static void give_up_false_starts(struct kit_device *device, uint32_t now_ms)
{
    if (now_ms - device->heard_at < QUIET_MS) {
        return;
    }
    while (kit_decoder_pending(&device->decoder) > 0) {
        kit_decoder_expire(&device->decoder);
        obey_all(device);
    }
}

void kit_device_tick(struct kit_device *device, const struct kit_sensors *sensors, uint32_t now_ms)
{
    device->sensors = *sensors;
    give_up_false_starts(device, now_ms);
    bool due = second_over(device, now_ms);
    bool changed = sensors->off != device->off_told && now_ms - device->told_at >= STATUS_LEAST_MS;
    if (due || changed) {
        tell(device, now_ms);
    }
}
