"""What the virtual instruments of one simulator share: a place, a seed, a patient, the air."""

from dataclasses import dataclass, field
from pathlib import Path

from chevet.sim.device_clock import DeviceClock
from chevet.sim.one_heart import OneHeart
from chevet.sim.players import Played
from chevet.sim.radio import SimLink


@dataclass(slots=True, eq=False)
class Bedside:
    """Where instruments are made.

    Attributes:
        folder: gets their ports.
        seed: of all disturbances.
        now: host's monotonic second at which everything begins.
        heart: the patient; None where recordings are played.
        plays: recordings chosen for an instrument, by its id.
        air: the virtual radio's air.
        radio: how a client opens that radio.
        tcp: serial instruments also listen on TCP.
    """

    folder: Path
    seed: int
    now: float
    heart: OneHeart | None = None
    plays: dict[str, Played] = field(default_factory=dict[str, Played])
    air: SimLink = field(default_factory=SimLink)
    radio: str = ""
    tcp: bool = False

    def clock(self) -> DeviceClock:
        """Return a new device's clock."""
        return DeviceClock()
