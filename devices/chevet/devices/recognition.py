"""What a thing on a bus was taken for, how surely, and why."""

from dataclasses import dataclass, replace

CERTAIN, LIKELY, AMBIGUOUS, UNKNOWN = "certain", "likely", "ambiguous", "unknown"


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a thing was taken for.

    Attributes:
        drivers: who may read it, the likeliest first; one unless several fit, none when nothing known does.
        certainty: certain, likely (see `doubt`), ambiguous (several fit) or unknown.
        reason: coded: "frames:12", "answer:...", "service:1822", "name:...", "camera", or "".
        doubt: a sentence for the installer, or "".
        options: of the link, such as "baud=9600".
        serial: what the instrument itself gave as its serial number, or "".
    """

    drivers: tuple[str, ...]
    certainty: str
    reason: str
    doubt: str = ""
    options: str = ""
    serial: str = ""

    @property
    def driver(self) -> str:
        """The driver to use, "" while several or none fit."""
        return self.drivers[0] if len(self.drivers) == 1 else ""

    def chosen(self, driver: str) -> "Recognition":
        """Return it with one of its drivers chosen by a person."""
        return replace(self, drivers=(driver,))


NOTHING = Recognition((), UNKNOWN, "")
