/* CRC-16/CCITT-FALSE, PROTOCOL.md section 2. */
#ifndef KIT_CRC_H
#define KIT_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Returns the CRC of `size` bytes; 0x29B1 for the nine characters "123456789". */
uint16_t kit_crc16(const uint8_t *bytes, size_t size);

#endif
