"""Instruments that print: one measurement a line, 9600 baud, for printers and terminals."""

LONGEST_LINE = 256


class TextLines:
    """Cuts a stream into lines; CR, LF or both end one. What grows too long without an end is given up."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._overrun = False

    def restart(self) -> None:
        """Forget the line that is not whole."""
        self._pending.clear()
        self._overrun = False

    def feed(self, data: bytes) -> list[str | None]:
        """Return the lines that `data` completed, without blank ones; None is one that is no ASCII text."""
        lines: list[str | None] = []
        for byte in data:
            if byte in b"\r\n":
                lines += self._ended()
            elif len(self._pending) < LONGEST_LINE:
                self._pending.append(byte)
            else:
                self._overrun = True
        return lines

    def _ended(self) -> list[str | None]:
        line, overrun = bytes(self._pending), self._overrun
        self.restart()
        if overrun or not line.isascii():
            return [None]
        text = line.decode("ascii").strip()
        return [text] if text else []
