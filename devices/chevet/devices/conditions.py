"""What lasts: conditions told when they begin and when they end, and numbers two frames agree on."""

from collections.abc import Hashable, Mapping

from chevet.devices.samples import Event, Notice, Reading


class Conditions:
    """Turns the state of a device, told again and again, into one Notice for each change."""

    def __init__(self) -> None:
        self._on: dict[str, bool] = {}

    def forget(self) -> None:
        """Begin anew: the next state is told against "nothing is wrong"."""
        self._on.clear()

    def tell(self, now: Mapping[str, bool], at: float) -> list[Event]:
        """Return the notices that `now` calls for; codes it does not name stay as they were."""
        changed = [code for code, on in now.items() if on != self._on.get(code, False)]
        self._on |= now
        return [Notice(code, at, on=now[code]) for code in changed]


class Agreement:
    """Believes what two frames running say, once in `every` frames.

    Streams without a checksum repeat the same numbers in every frame for a second; one damaged frame that
    still looks whole must not become a number on a screen.
    """

    def __init__(self, every: int) -> None:
        self._every = every
        self.forget()

    def forget(self) -> None:
        """Begin anew: the second frame that agrees is believed."""
        self._said: Hashable = None
        self._since = self._every

    def hear(self, said: Hashable) -> tuple[bool, bool]:
        """Take what a frame says; return whether the one before said the same, and whether it is due."""
        agreed = said == self._said
        self._said = said
        self._since += 1
        due = agreed and self._since >= self._every
        if due:
            self._since = 0
        return agreed, due


def reading(
    kind: str, value: float | None, highest: float, unit: str, at: float, words: tuple[str, ...] = ()
) -> Reading:
    """Return a reading whose value is None where there is none, or none that a body can have.

    Args:
        kind: reading kind of the design.
        value: the device's number, None where it says that there is none.
        highest: a number of 0 or below, or above this, is not believed (word "implausible").
        unit: UCUM code.
        at: host time.
        words: status words.
    """
    if value is not None and not 0 < value <= highest:
        return Reading(kind, None, unit, at, (*words, "implausible"))
    return Reading(kind, value, unit, at, words)


def spo2_reading(value: float | None, at: float, words: tuple[str, ...] = ()) -> Reading:
    """Return an oxygen saturation in %, at most 100."""
    return reading("spo2", value, 100.0, "%", at, words)


def pulse_reading(value: float | None, at: float, words: tuple[str, ...] = ()) -> Reading:
    """Return a pulse rate in /min, at most 321: the most that any of the oximeters here claims to measure."""
    return reading("pulse_rate", value, 321.0, "/min", at, words)


def perfusion_reading(value: float | None, at: float, words: tuple[str, ...] = ()) -> Reading:
    """Return a perfusion index in %; 0 is "none"."""
    return reading("perfusion_index", value or None, 100.0, "%", at, words)


def identity(model: str = "", serial: str = "", firmware: str = "") -> str:
    """Return the detail of an `identified` notice; what could be taken for its punctuation is left out."""
    parts = (("model", model), ("serial", serial), ("firmware", firmware))
    return ";".join(f"{key}={clean(text)}" for key, text in parts)


LONGEST_TEXT = 64


def clean(text: str) -> str:
    """Return `text` as an identity may hold it: printable, without ";" and "=", at most 64 characters."""
    kept = "".join(char for char in text if char.isprintable() and char not in ";=")
    return kept.strip()[:LONGEST_TEXT]
