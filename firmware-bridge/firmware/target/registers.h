/* The few registers of the STM32F405 used here. Source: ST reference manual RM0090 (memory map; RCC, FLASH, GPIO, USART chapters)
 * and ARM's ARMv7-M architecture manual (SysTick, NVIC, SCB). */
#ifndef REGISTERS_H
#define REGISTERS_H

#include <stdint.h>

struct rcc_registers {
    volatile uint32_t cr, pllcfgr, cfgr, cir, ahb1rstr, ahb2rstr, ahb3rstr, reserved0, apb1rstr, apb2rstr,
        reserved1, reserved2, ahb1enr, ahb2enr, ahb3enr, reserved3, apb1enr, apb2enr;
};

struct flash_registers {
    volatile uint32_t acr;
};

struct gpio_registers {
    volatile uint32_t moder, otyper, ospeedr, pupdr, idr, odr, bsrr, lckr, afrl, afrh;
};

struct usart_registers {
    volatile uint32_t sr, dr, brr, cr1, cr2, cr3;
};

struct systick_registers {
    volatile uint32_t ctrl, load, val;
};

#define RCC ((struct rcc_registers *)0x40023800u)
#define FLASH ((struct flash_registers *)0x40023C00u)
#define GPIOA ((struct gpio_registers *)0x40020000u)
#define USART1 ((struct usart_registers *)0x40011000u)
#define USART2 ((struct usart_registers *)0x40004400u)
#define SYSTICK ((struct systick_registers *)0xE000E010u)
#define NVIC_ISER ((volatile uint32_t *)0xE000E100u)
#define SCB_AIRCR (*(volatile uint32_t *)0xE000ED0Cu)

#define USART_SR_RXNE (1u << 5)
#define USART_SR_TXE (1u << 7)
#define USART_CR1_RE (1u << 2)
#define USART_CR1_TE (1u << 3)
#define USART_CR1_RXNEIE (1u << 5)
#define USART_CR1_UE (1u << 13)

#define IRQ_USART1 37u
#define IRQ_USART2 38u

#endif
