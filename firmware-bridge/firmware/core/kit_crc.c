#include "kit_crc.h"

/* Polynomial 0x1021, four bits a step: a table of 32 bytes instead of 512, and twice as fast as bit by bit. */
static const uint16_t STEP[16] = {
    0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50A5, 0x60C6, 0x70E7,
    0x8108, 0x9129, 0xA14A, 0xB16B, 0xC18C, 0xD1AD, 0xE1CE, 0xF1EF,
};

static uint16_t nibble(uint16_t crc, unsigned bits)
{
    return (uint16_t)(((unsigned)crc << 4) ^ STEP[((unsigned)crc >> 12) ^ bits]);
}

uint16_t kit_crc16(const uint8_t *bytes, size_t size)
{
    uint16_t crc = 0xFFFF;
    for (size_t i = 0; i < size; i++) {
        crc = nibble(crc, (unsigned)bytes[i] >> 4);
        crc = nibble(crc, (unsigned)bytes[i] & 0xFu);
    }
    return crc;
}
