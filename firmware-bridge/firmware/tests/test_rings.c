/* The two rings, and the clock's registers. */
#include <string.h>

#include "check.h"
#include "clock.h"
#include "kit_sets.h"

static void a_ring_keeps_order_across_its_end_and_takes_all_or_nothing(void)
{
    static volatile uint8_t bytes[16];
    struct kit_ring ring;
    uint8_t next_in = 0, next_out = 0;
    kit_ring_reset(&ring, bytes, sizeof bytes);
    ring.head = ring.tail = UINT32_MAX - 20u; /* the counters wrap on the way */
    for (int round = 0; round < 200; round++) {
        uint8_t some[7], back[16];
        for (size_t i = 0; i < sizeof some; i++) {
            some[i] = (uint8_t)(next_in + i);
        }
        bool fits = kit_ring_free(&ring) >= sizeof some;
        CHECK(kit_ring_write(&ring, some, sizeof some) == fits);
        next_in = (uint8_t)(next_in + (fits ? sizeof some : 0));
        size_t count = kit_ring_read(&ring, back, (size_t)(round % 9));
        for (size_t i = 0; i < count; i++) {
            CHECK(back[i] == next_out++);
        }
        CHECK(kit_ring_used(&ring) + kit_ring_free(&ring) == sizeof bytes);
    }
    CHECK(next_out > 0);
}

static void sets_that_find_no_room_show_by_the_index_of_the_next(void)
{
    static struct kit_sets ring;
    struct kit_set set;
    const int16_t values[2] = {-5, 7};
    kit_sets_restart(&ring, 2);
    CHECK(!kit_sets_take(&ring, &set));
    for (unsigned i = 0; i < KIT_SETS; i++) {
        CHECK(!kit_sets_full(&ring));
        CHECK(kit_sets_put(&ring, values));
    }
    CHECK(kit_sets_full(&ring));
    for (unsigned i = 0; i < 10; i++) {
        CHECK(!kit_sets_put(&ring, values));
    }
    for (unsigned i = 0; i < KIT_SETS; i++) {
        CHECK(kit_sets_take(&ring, &set));
        CHECK(set.index == i && set.values[0] == -5 && set.values[1] == 7);
    }
    CHECK(kit_sets_put(&ring, values));
    CHECK(kit_sets_take(&ring, &set));
    CHECK(set.index == KIT_SETS + 10u);
    kit_sets_restart(&ring, 2);
    CHECK(kit_sets_put(&ring, values) && kit_sets_take(&ring, &set) && set.index == 0);
}

void test_rings(void)
{
    a_ring_keeps_order_across_its_end_and_takes_all_or_nothing();
    sets_that_find_no_room_show_by_the_index_of_the_next();
}

#define READY (1u << 1 | 1u << 17 | 1u << 25) /* both oscillators and the PLL */


/* A clock tree that is ready at once. */
static struct clocks started(uint32_t cr, uint32_t cfgr, struct rcc_registers *rcc, struct flash_registers *flash)
{
    memset(rcc, 0, sizeof *rcc);
    memset(flash, 0, sizeof *flash);
    rcc->cr = cr;
    rcc->cfgr = cfgr;
    return clock_start(rcc, flash, 12);
}

void test_clock(void)
{
    struct rcc_registers rcc;
    struct flash_registers flash;
    CHECK(sizeof rcc == 0x48); /* RM0090: RCC_APB2ENR stands at 0x44 */

    struct clocks clocks = started(0, 0, &rcc, &flash); /* no clock tree: QEMU */
    CHECK(clocks.core_hz == 168000000u && rcc.cr == 0);

    clocks = started(1u << 1, 0, &rcc, &flash); /* neither crystal nor PLL starts */
    CHECK(clocks.core_hz == 16000000u && clocks.apb2_hz == 16000000u);
    CHECK((rcc.cr & 1u << 16) != 0 && rcc.pllcfgr == (16u | 336u << 6 | 7u << 24) && rcc.cfgr == 0);

    clocks = started(READY, 0, &rcc, &flash); /* the switch is never confirmed: a register file without hardware */
    CHECK(clocks.core_hz == 16000000u && clocks.apb1_hz == 4000000u && clocks.apb2_hz == 8000000u);
    CHECK(rcc.pllcfgr == (12u | 336u << 6 | 1u << 22 | 7u << 24));
    CHECK(rcc.cfgr == (2u | 5u << 10 | 4u << 13));
    CHECK((flash.acr & 7u) == 5u);
}
