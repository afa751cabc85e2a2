"""The two 8-bit checksums of the oximeters, as their makers use them."""


def _table(polynomial: int, *, reflected: bool) -> bytes:
    """Return what one byte makes of a register of 0."""
    table = bytearray(256)
    for byte in range(256):
        crc = byte
        for _ in range(8):
            if reflected:
                crc = crc >> 1 ^ polynomial if crc & 1 else crc >> 1
            else:
                crc = (crc << 1 ^ polynomial) & 0xFF if crc & 0x80 else crc << 1
        table[byte] = crc
    return bytes(table)


_SMBUS = _table(0x07, reflected=False)
_MAXIM = _table(0x8C, reflected=True)


def crc8(data: bytes | bytearray) -> int:
    """Return the CRC-8 of polynomial 0x07, initial value 0, highest bit first (SMBus)."""
    crc = 0
    for byte in data:
        crc = _SMBUS[crc ^ byte]
    return crc


def crc8_maxim(data: bytes | bytearray) -> int:
    """Return the CRC-8 of Maxim's 1-Wire (0x31 reflected, initial value 0): 0 over data and checksum."""
    crc = 0
    for byte in data:
        crc = _MAXIM[crc ^ byte]
    return crc
