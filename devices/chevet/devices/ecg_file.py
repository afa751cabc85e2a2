"""What a file of an ECG cart says, whatever its format."""

import datetime
import hashlib
import unicodedata
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from chevet.devices.samples import Channel

CONTEC, DICOM, SCP = "contec-ecg90a", "dicom-ecg", "scp-ecg"
MEDIA_TYPES = {
    CONTEC: "application/vnd.contec.ecg90a",
    DICOM: "application/dicom",
    SCP: "application/vnd.scp-ecg",
}
"""Only DICOM's is registered (RFC 3240); the others are names for people and programs that keep the file."""
SIMULATED = "Chevet Sim"
"""The maker's name that virtual carts write."""
LONGEST_WORD = 64


@dataclass(frozen=True, slots=True, repr=False)
class FilePatient:
    """Who the file says it is: to be compared with whom the worker examines, and shown to nobody else.

    It has no useful `repr`, so that it cannot slip into a log.

    Attributes:
        name: words of the name in any order, "" where the file has none.
        number: the cart's patient number, "".
        birth_year: None where not told.
        sex: "F", "M" or "".
    """

    name: str = ""
    number: str = ""
    birth_year: int | None = None
    sex: str = ""

    def __repr__(self) -> str:
        """Return nothing that names anybody."""
        return "FilePatient(...)"

    @property
    def known(self) -> bool:
        """Whether the file names a person at all."""
        return bool(self.name or self.number or self.birth_year or self.sex)


@dataclass(frozen=True, slots=True, eq=False)
class EcgFile:
    """What a file says.

    Attributes:
        format: "contec-ecg90a", "dicom-ecg" or "scp-ecg".
        channels: of one rate, in mV.
        values: int32 [channels, samples], as the file has them (0 where nothing was measured).
        measured: bool [channels, samples]; False where the file says that there is no sample.
        derived: names of channels that were worked out here.
        started: by the cart's own clock, which has no zone unless the file names one; None where not told.
        device: maker, model, serial, filters... as far as the file tells them.
        source: the file, byte for byte.
        patient: who the file says it is.
    """

    format: str
    channels: tuple[Channel, ...]
    values: NDArray[np.int32]
    measured: NDArray[np.bool_]
    derived: tuple[str, ...]
    started: datetime.datetime | None
    device: dict[str, str]
    source: bytes = field(repr=False)
    patient: FilePatient = FilePatient()

    @property
    def sha256(self) -> str:
        """The source's hash: the same file dropped twice has the same."""
        return hashlib.sha256(self.source).hexdigest()

    @property
    def seconds(self) -> float:
        """How long it is."""
        return float(self.values.shape[1] / self.channels[0].rate_hz)

    @property
    def simulated(self) -> bool:
        """Whether the cart says of itself that it is not real."""
        return self.device.get("maker") == SIMULATED

    @property
    def media_type(self) -> str:
        """What `source` is."""
        return MEDIA_TYPES[self.format]


def words(data: bytes) -> str:
    """Return text of a file as it may be shown: printable, one space between words, at most 64 characters.

    UTF-8 where it is such, else Latin-1, which is what older carts write.
    """
    data = data.partition(b"\0")[0]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    kept = "".join(char if char.isprintable() else " " for char in unicodedata.normalize("NFC", text))
    return " ".join(kept.split())[:LONGEST_WORD]
