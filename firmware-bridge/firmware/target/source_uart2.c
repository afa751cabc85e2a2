/* Samples from USART2 (PA2, PA3): whoever feeds it is the sample clock, so a test gets exactly what it gave.
 *
 *   'S' k, then k sets of one i16 for each channel     k sample sets taken (k at least 1)
 *   'L' u16                                            bitmap of channels without contact
 *   'B' u8 u8                                          battery in percent (255 unknown), charging
 *   'F' u8                                             1: the front end answers, 0: it does not
 *   'W' u16                                            the main loop is late: it takes nothing until so many
 *                                                      further sets have come
 *
 * Numbers are little-endian, other bytes are skipped. As long as the main loop is not made late by 'W' nothing is
 * lost: the interrupt leaves a byte in the receiver until there is room for the set it may complete. A real sample
 * clock does not wait; that is what 'W' shows. */
#include "board.h"
#include "source.h"

#define MAX_SIZE (2u * KIT_MAX_CHANNELS)

const bool source_simulated = true;

static struct kit_sets sets;
static volatile struct kit_sensors sensors = {true, 0, KIT_BATTERY_UNKNOWN, true};
static volatile uint32_t arrived;   /* sets since power-on */
static volatile uint32_t late_from; /* the main loop is late until `late_for` sets have come since */
static volatile uint32_t late_for;

static uint8_t word;   /* the message being read, 0 between messages */
static uint8_t repeat; /* sets of it that still follow */
static bool counted;   /* the 'S' has told its count */
static uint8_t held[MAX_SIZE];
static uint8_t held_size;

static bool late(void)
{
    return arrived - late_from < late_for;
}

static int16_t held_i16(unsigned at)
{
    unsigned value = held[at] | (unsigned)held[at + 1u] << 8;
    return value < 0x8000u ? (int16_t)value : (int16_t)((int32_t)value - 0x10000);
}

static uint16_t held_u16(void)
{
    return (uint16_t)(held[0] | (unsigned)held[1] << 8);
}

static unsigned size_of(uint8_t what)
{
    switch (what) {
    case 'S':
        return counted ? 2u * sets.channels : 1u;
    case 'L':
    case 'B':
    case 'W':
        return 2;
    case 'F':
        return 1;
    default:
        return 0;
    }
}

static void take_set(void)
{
    int16_t values[KIT_MAX_CHANNELS];
    for (unsigned i = 0; i < sets.channels; i++) {
        values[i] = held_i16(2u * i);
    }
    (void)kit_sets_put(&sets, values); /* full: the index runs on and tells */
    arrived++;
}

/* Returns the word still being read, or 0. */
static uint8_t complete(void)
{
    switch (word) {
    case 'S':
        if (counted) {
            take_set();
            repeat--;
        } else {
            repeat = held[0];
        }
        counted = repeat > 0;
        return counted ? 'S' : 0;
    case 'L':
        sensors.off = held_u16();
        return 0;
    case 'B':
        sensors.battery_pct = held[0];
        sensors.charging = held[1] != 0;
        return 0;
    case 'W':
        late_from = arrived;
        late_for = held_u16();
        return 0;
    default:
        sensors.ready = held[0] != 0;
        return 0;
    }
}

static void read_byte(uint8_t byte)
{
    if (word == 0) {
        word = size_of(byte) > 0 ? byte : 0;
        return;
    }
    held[held_size++] = byte;
    if (held_size == size_of(word)) {
        held_size = 0;
        word = complete();
    }
}

void usart2_interrupt(void);
void usart2_interrupt(void)
{
    if (kit_sets_full(&sets) && !late()) {
        USART2->cr1 &= ~USART_CR1_RXNEIE; /* source_take asks for the byte again */
        return;
    }
    uint32_t state = USART2->sr;
    uint8_t byte = (uint8_t)(USART2->dr & 0xFFu);
    if ((state & USART_SR_RXNE) != 0) {
        read_byte(byte);
    }
}

void source_start(const struct clocks *clocks, uint8_t channels)
{
    kit_sets_restart(&sets, channels);
    board_usart(USART2, clocks->apb1_hz, 2, 3, IRQ_USART2);
}

void source_restart(void)
{
    __asm__ volatile("cpsid i" ::: "memory");
    kit_sets_restart(&sets, sets.channels);
    USART2->cr1 |= USART_CR1_RXNEIE;
    __asm__ volatile("cpsie i" ::: "memory");
}

bool source_take(struct kit_set *set)
{
    if (late() || !kit_sets_take(&sets, set)) {
        return false;
    }
    USART2->cr1 |= USART_CR1_RXNEIE;
    return true;
}

struct kit_sensors source_sensors(void)
{
    struct kit_sensors copy = {sensors.ready, sensors.off, sensors.battery_pct, sensors.charging};
    return copy;
}
