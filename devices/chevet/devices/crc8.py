"""The two 8-bit checksums of the oximeters, as their makers use them."""


def crc8(data: bytes | bytearray) -> int:
    """Return the CRC-8 of polynomial 0x07, initial value 0, highest bit first (SMBus)."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07) & 0xFF if crc & 0x80 else crc << 1
    return crc


def crc8_maxim(data: bytes | bytearray) -> int:
    """Return the CRC-8 of Maxim's 1-Wire (0x31 reflected, initial value 0): 0 over data and checksum."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8C if crc & 1 else crc >> 1
    return crc
