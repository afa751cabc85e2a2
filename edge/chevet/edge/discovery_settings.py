"""The settings of finding instruments: `[discovery]` in edge.toml."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class DiscoverySettings(BaseModel):
    """How instruments that the configuration does not name are found.

    Attributes:
        on: look for instruments at all.
        allow: used without asking when recognised: a driver's name, "usb:0403:6001", "name:Nonin3230_*" or
            "address:C0:FF:EE:00:00:01".
        offer: offer other recognised instruments to the worker ("found: oximeter; use it?").
        ask: USB ids ("10c4:ea60") of adapters behind which a silent instrument may be asked who it is.
        ports: more serial ports, or folders of them: soldered and Bluetooth serial ports, benches.
        serial: look at serial ports.
        bluetooth: listen to Bluetooth advertisements.
        cameras: look for cameras.
        sound_cards: look for USB sound cards.
        look_s: seconds between two looks at serial ports and cameras.
        scan_s: how long each search by Bluetooth lasts, in seconds.
        scan_every_s: seconds from the beginning of one search to the next.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    on: bool = True
    allow: tuple[str, ...] = ()
    offer: bool = True
    ask: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{4}:[0-9a-f]{4}$")], ...] = ()
    ports: tuple[Path, ...] = ()
    serial: bool = True
    bluetooth: bool = True
    cameras: bool = True
    sound_cards: bool = True
    look_s: float = Field(default=2.0, ge=0.05, le=60)
    scan_s: float = Field(default=8.0, ge=0.1, le=60)
    scan_every_s: float = Field(default=30.0, ge=0.1, le=3600)
