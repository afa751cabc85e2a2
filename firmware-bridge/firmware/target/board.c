#include "board.h"

#include <stdbool.h>

#define BAUD 921600u /* PROTOCOL.md section 1 */
#define IN_SIZE 2048u
#ifndef CRYSTAL_MHZ
#define CRYSTAL_MHZ 8u
#endif

#define RCC_GPIOA (1u << 0)
#define RCC_USART1 (1u << 4)
#define RCC_USART2 (1u << 17)
#define SYSTICK_ON 7u /* counting, with interrupt, from the core's clock */
#define MODE_ALTERNATE 2u
#define AF_USART 7u

struct kit_ring board_in;
static volatile uint8_t in_bytes[IN_SIZE];
static volatile uint32_t milliseconds;

void systick_interrupt(void);
void systick_interrupt(void)
{
    milliseconds++;
}

void usart1_interrupt(void);
void usart1_interrupt(void)
{
    uint32_t state = USART1->sr; /* reading state, then data, also clears an overrun */
    uint8_t byte = (uint8_t)(USART1->dr & 0xFFu);
    if ((state & USART_SR_RXNE) != 0) {
        (void)kit_ring_write(&board_in, &byte, 1);
    }
}

uint32_t board_now_ms(void)
{
    return milliseconds;
}

static void pin_speaks(unsigned pin)
{
    volatile uint32_t *function = pin < 8u ? &GPIOA->afrl : &GPIOA->afrh;
    unsigned at = pin % 8u * 4u;
    *function = (*function & ~(0xFu << at)) | AF_USART << at;
    GPIOA->moder = (GPIOA->moder & ~(3u << pin * 2u)) | MODE_ALTERNATE << pin * 2u;
}

void board_usart(struct usart_registers *usart, uint32_t clock_hz, unsigned tx, unsigned rx, unsigned irq)
{
    pin_speaks(tx);
    pin_speaks(rx);
    usart->brr = (clock_hz + BAUD / 2u) / BAUD;
    usart->cr1 = USART_CR1_UE | USART_CR1_TE | USART_CR1_RE | USART_CR1_RXNEIE;
    NVIC_ISER[irq / 32u] = 1u << irq % 32u;
}

struct clocks board_start(void)
{
    struct clocks clocks = clock_start(RCC, FLASH, CRYSTAL_MHZ);
    kit_ring_reset(&board_in, in_bytes, IN_SIZE);
    RCC->ahb1enr |= RCC_GPIOA;
    RCC->apb1enr |= RCC_USART2;
    RCC->apb2enr |= RCC_USART1;
    SYSTICK->load = clocks.core_hz / 1000u - 1u;
    SYSTICK->val = 0;
    SYSTICK->ctrl = SYSTICK_ON;
    board_usart(USART1, clocks.apb2_hz, 9, 10, IRQ_USART1);
    return clocks;
}

void board_send(struct kit_ring *out)
{
    uint8_t byte;
    while ((USART1->sr & USART_SR_TXE) != 0 && kit_ring_read(out, &byte, 1) == 1u) {
        USART1->dr = byte;
    }
}

void board_sleep(void)
{
    /* Masked, so that a byte arriving between the question and the sleep still ends the sleep. */
    __asm__ volatile("cpsid i" ::: "memory");
    if (kit_ring_used(&board_in) == 0) {
        __asm__ volatile("wfi" ::: "memory");
    }
    __asm__ volatile("cpsie i" ::: "memory");
}
