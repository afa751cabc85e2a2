/* From reset to main, and the vector table. Source: RM0090 (vector table), ARMv7-M architecture manual. */
#include <stddef.h>
#include <stdint.h>

#include "registers.h"

#define AIRCR_RESET (0x05FAu << 16 | 1u << 2)

extern uint32_t stack_top, data_load, data_start, data_end, bss_start, bss_end; /* from the linker script */

int main(void);
void systick_interrupt(void);
void usart1_interrupt(void);
void usart2_interrupt(void) __attribute__((weak, alias("unexpected")));
void reset(void);
void unexpected(void);

/* A fault ends in a restart: the host sees "not streaming", marks the gap and starts the stream again. */
void unexpected(void)
{
    SCB_AIRCR = AIRCR_RESET;
    for (;;) {
    }
}

void reset(void)
{
    const uint32_t *from = &data_load;
    for (uint32_t *to = &data_start; to < &data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = &bss_start; to < &bss_end; to++) {
        *to = 0;
    }
    (void)main();
    unexpected();
}

struct vectors {
    const uint32_t *stack;
    void (*handlers[15])(void);
    void (*interrupts[82])(void);
};

__attribute__((section(".vectors"), used)) const struct vectors VECTORS = {
    &stack_top,
    {reset, unexpected, unexpected, unexpected, unexpected, unexpected, NULL, NULL, NULL, NULL, unexpected,
     unexpected, NULL, unexpected, systick_interrupt},
    {[IRQ_USART1] = usart1_interrupt, [IRQ_USART2] = usart2_interrupt},
};

/* The compiler may ask for these by itself. */
void *memcpy(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);

void *memcpy(void *to, const void *from, size_t count)
{
    unsigned char *target = to;
    const unsigned char *source = from;
    while (count-- > 0) {
        *target++ = *source++;
    }
    return to;
}

void *memset(void *to, int value, size_t count)
{
    unsigned char *target = to;
    while (count-- > 0) {
        *target++ = (unsigned char)value;
    }
    return to;
}
