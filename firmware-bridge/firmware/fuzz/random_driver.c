/* Runs the fuzz target where there is no libFuzzer: random input, much of it made of frames, for so many seconds.
 *
 * Usage: fuzz_random SECONDS [SEED]; it prints the seed, and the same seed gives the same inputs. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "kit_frame.h"

#define MAX_INPUT 4096u

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static uint32_t state;

/* xorshift32 (Marsaglia, 2003). */
static uint32_t random_u32(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static size_t random_frame(uint8_t *at)
{
    static const uint8_t TYPES[] = {KIT_IDENTIFY, KIT_START, KIT_STOP, 0, 0x42, KIT_ANSWER};
    size_t payload = random_u32() % 5u;
    for (size_t i = 0; i < payload; i++) {
        at[KIT_HEAD + i] = (uint8_t)(random_u32() & 0xFFu);
    }
    uint8_t type = TYPES[random_u32() % sizeof TYPES];
    size_t size = kit_frame_seal(at, type, (uint8_t)(random_u32() & 0xFFu), payload);
    if (random_u32() % 4u == 0) {
        at[random_u32() % size] ^= (uint8_t)(1u << random_u32() % 8u);
    }
    return size;
}

static size_t random_input(uint8_t *input)
{
    size_t wanted = random_u32() % (MAX_INPUT - 16u), size = 0;
    while (size < wanted) {
        if (random_u32() % 3u == 0) {
            size += random_frame(input + size);
        } else {
            input[size++] = (uint8_t)(random_u32() & 0xFFu);
        }
    }
    return size;
}

int main(int count, char **words)
{
    static uint8_t input[MAX_INPUT];
    long seconds = count > 1 ? atol(words[1]) : 20;
    unsigned long seed = count > 2 ? strtoul(words[2], NULL, 10) : 1;
    unsigned long runs = 0;
    state = (uint32_t)(seed & 0xFFFFFFFFu) | 1u;
    time_t end = time(NULL) + seconds;
    do {
        (void)LLVMFuzzerTestOneInput(input, random_input(input));
        runs++;
    } while (time(NULL) < end);
    printf("%lu random inputs (seed %lu): nothing out of bounds, nothing undefined, every output whole\n", runs, seed);
    return 0;
}
