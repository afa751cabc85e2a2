/* Sound from the microphone's slots; its filter is measured in tests/firmware, against SciPy. */
#include <string.h>

#include "check.h"
#include "microphone.h"

static struct microphone microphone;

static int16_t after(uint32_t slot, unsigned count)
{
    int16_t sound = 0;
    unsigned given = 0;
    for (unsigned i = 0; i < count; i++) {
        given += microphone_read(&microphone, slot, &sound) ? 1u : 0u;
    }
    CHECK(given == count / MICROPHONE_BY);
    return sound;
}

void test_microphone(void)
{
    microphone_reset(&microphone, 0);
    CHECK(after(0x12345600u, 200) == 0x1234);  /* the low byte is not the microphone's; 0x56 rounds down */
    microphone_reset(&microphone, 0);
    CHECK(after(0xFFFF0000u, 200) == -1);
    microphone_reset(&microphone, 8);
    CHECK(after(0x00123400u, 200) == 0x1234);
    CHECK(after(0x7FFFFF00u, 200) == INT16_MAX);
    CHECK(after(0x80000000u, 200) == INT16_MIN);
    microphone_reset(&microphone, 200); /* beyond its range: the loudest */
    CHECK(microphone.louder == 8);
    CHECK(after(0, 400) == 0);
}
