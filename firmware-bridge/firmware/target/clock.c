#include "clock.h"

#include <stdbool.h>

/* RM0090, RCC_CR, RCC_PLLCFGR, RCC_CFGR, FLASH_ACR. */
#define CR_HSIRDY (1u << 1)
#define CR_HSEON (1u << 16)
#define CR_HSERDY (1u << 17)
#define CR_PLLON (1u << 24)
#define CR_PLLRDY (1u << 25)
#define PLLCFGR_SRC_HSE (1u << 22)
#define CFGR_SW_PLL 2u
#define CFGR_SWS_PLL (2u << 2)
#define CFGR_SWS (3u << 2)
#define CFGR_APB1_BY_4 (5u << 10)
#define CFGR_APB2_BY_2 (4u << 13)
#define ACR_CACHES_5_WAITS (1u << 10 | 1u << 9 | 1u << 8 | 5u) /* 168 MHz at 2.7 to 3.6 V */

#define HSI_MHZ 16u
#define CORE_MHZ 168u
#define PATIENCE 200000u /* reads; a crystal starts within 2 ms, some 10 000 reads at 16 MHz */

static bool becomes(volatile uint32_t *at, uint32_t mask, uint32_t wanted)
{
    for (uint32_t i = 0; i < PATIENCE; i++) {
        if ((*at & mask) == wanted) {
            return true;
        }
    }
    return false;
}

/* 1 MHz into the PLL, 336 MHz inside, by 2 for the core, by 7 for 48 MHz. */
static uint32_t pll_settings(uint32_t source_mhz, uint32_t source)
{
    return source_mhz | 2u * CORE_MHZ << 6 | 0u << 16 | source | 7u << 24;
}

static struct clocks reached(uint32_t mhz, uint32_t by_apb1, uint32_t by_apb2)
{
    uint32_t hz = mhz * 1000000u;
    struct clocks clocks = {hz, hz / by_apb1, hz / by_apb2};
    return clocks;
}

struct clocks clock_start(struct rcc_registers *rcc, struct flash_registers *flash, uint32_t crystal_mhz)
{
    if ((rcc->cr & CR_HSIRDY) == 0) {
        /* On a chip the internal oscillator runs after every reset. Where it does not there is no clock tree at all:
         * QEMU's netduinoplus2, whose core counts 168 MHz. */
        return reached(CORE_MHZ, 4, 2);
    }
    rcc->cr |= CR_HSEON;
    bool crystal = becomes(&rcc->cr, CR_HSERDY, CR_HSERDY);
    rcc->pllcfgr = crystal ? pll_settings(crystal_mhz, PLLCFGR_SRC_HSE) : pll_settings(HSI_MHZ, 0);
    rcc->cr |= CR_PLLON;
    if (!becomes(&rcc->cr, CR_PLLRDY, CR_PLLRDY)) {
        return reached(HSI_MHZ, 1, 1);
    }
    flash->acr = ACR_CACHES_5_WAITS; /* before the clock rises */
    rcc->cfgr = CFGR_APB1_BY_4 | CFGR_APB2_BY_2;
    rcc->cfgr |= CFGR_SW_PLL;
    if (!becomes(&rcc->cfgr, CFGR_SWS, CFGR_SWS_PLL)) {
        return reached(HSI_MHZ, 4, 2);
    }
    return reached(CORE_MHZ, 4, 2);
}
