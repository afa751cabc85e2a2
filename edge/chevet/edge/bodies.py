"""What the kiosk may send: pydantic at the door, unknown fields refused."""

import base64
import binascii
import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from chevet.edge.kept import ElectrodeCode
from chevet.study.recording import PHOTO_SITES, STEPS
from chevet.study.specialties import SPECIALTIES
from chevet.study.spoken import MOST_BYTES
from chevet.study.study import CONSENT_PURPOSES, URGENCIES

_SECONDS_AT_MOST = 120.0


def _known(words: tuple[str, ...]) -> AfterValidator:
    def check(value: str) -> str:
        if value and value not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return value

    return AfterValidator(check)


_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
_Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)]
_Text = Annotated[str, StringConstraints(max_length=4000)]
_Id = Annotated[str, StringConstraints(max_length=64)]
_Step = Annotated[str, StringConstraints(min_length=1), _known(STEPS)]
_Side = Literal["", "left", "right"]
_HistoryKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,24}(\.[a-z0-9_]{1,24})?$")]
_Answer = Annotated[str, StringConstraints(max_length=120)]
HISTORY_AT_MOST = 48
"""Answers in one call: a whole NIHSS sheet and a guided history have fewer."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class SignIn(_Body):
    """Worker and PIN."""

    worker: _Id
    pin: Annotated[str, StringConstraints(max_length=32)]


class SignInByBadge(_Body):
    """What a reader typed."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=128)]


class Electrodes(_Body):
    """What the cable of the ECG has."""

    code: ElectrodeCode


class Camera(_Body):
    """Which camera's newest picture."""

    device: _Id


class NewPatient(_Body):
    """A person not seen here before."""

    name: _Name
    birth_year: Annotated[int, Field(ge=1900, le=2100)] | None = None
    sex: Literal["", "F", "M"] = ""
    local_number: _Short = ""


class Unnamed(_Body):
    """A person whose name is not to be known: detained or protected; what else is known of them."""

    birth_year: Annotated[int, Field(ge=1900, le=2100)] | None = None
    sex: Literal["", "F", "M"] = ""


class Search(_Body):
    """Part of a name or number."""

    text: Annotated[str, StringConstraints(max_length=120)]


class NewVisit(_Body):
    """For whom; `case` it continues, and `message` of the specialist who asked for a recording again."""

    patient: _Id
    case: _Id = ""
    message: _Id = ""


class VisitChanges(_Body):
    """Whatever changed; what is absent stays."""

    reason: _Short = ""
    question: _Text = ""
    specialty: Annotated[str, _known(SPECIALTIES)] = ""
    urgency: Annotated[str, StringConstraints(min_length=1), _known(URGENCIES)] = "routine"
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] = "fr"
    red_flags: Annotated[list[_Short], Field(max_length=32)] | None = None
    screen: Any = None
    path: Literal["", "stroke", "chest_pain", "newborn"] = ""
    history: Annotated[dict[_HistoryKey, _Answer], Field(max_length=HISTORY_AT_MOST)] = {}

    def changes(self) -> dict[str, Any]:
        """Return what was sent, ready for the store."""
        sent = self.model_dump(exclude_unset=True)
        if sent.get("red_flags") is not None:
            sent["red_flags"] = tuple(sent["red_flags"])
        return sent


class ConsentGiven(_Body):
    """For which purposes, and who witnessed it for a person who does not read."""

    purposes: Annotated[
        list[Annotated[str, StringConstraints(min_length=1), _known(CONSENT_PURPOSES)]],
        Field(min_length=1, max_length=len(CONSENT_PURPOSES)),
    ]
    witness: _Short = ""
    override: Literal["", "stroke", "chest_pain", "newborn", "emergency"] = ""


class Feedback(_Body):
    """What the worker thought of an answer."""

    face: Literal["good", "fair", "bad"]


class Spoken(_Body):
    """A note said aloud: what `POST .../voice` gave, as base64."""

    voice: Annotated[str, StringConstraints(min_length=1, max_length=4 * -(-MOST_BYTES // 3))]

    @field_validator("voice")
    @classmethod
    def _is_base64(cls, value: str) -> str:
        try:
            base64.b64decode(value, validate=True)
        except binascii.Error:
            raise ValueError("must be base64") from None
        return value


class TypedVital(_Body):
    """One number typed by hand."""

    kind: _Short
    value: Annotated[float, Field(allow_inf_nan=False)]
    unit: _Short


class TakeMeasured(_Body):
    """Which instrument's newest numbers are of this patient."""

    device: _Id


class SkipStep(_Body):
    """An examination left out."""

    step: _Step
    site: _Short = ""
    side: _Side = ""
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class NewCapture(_Body):
    """What to record; 0 seconds means the step's usual length."""

    step: _Step
    site: _Short = ""
    side: _Side = ""
    seconds: Annotated[float, Field(ge=0, le=_SECONDS_AT_MOST)] = 0.0
    device: _Id = ""

    @model_validator(mode="after")
    def _placed(self) -> Self:
        if self.step == "photo" and self.site not in PHOTO_SITES:
            raise ValueError(f"a photograph needs its place, one of {', '.join(PHOTO_SITES)}")
        return self


class Accept(_Body):
    """Take the recording; `best` is the still to show first."""

    poor: bool = False
    best: int | None = None


class Decision(_Body):
    """Whether an instrument that was found is used; `driver` where several fit."""

    use: bool
    driver: _Short = ""


class LastCalibration(_Body):
    """The day of an instrument's last calibration, null to take it back."""

    calibrated_on: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None

    @field_validator("calibrated_on")
    @classmethod
    def _is_a_day(cls, value: str | None) -> str | None:
        if value is not None:
            datetime.date.fromisoformat(value)
        return value

    def day(self) -> datetime.date | None:
        """Return it as a date."""
        return datetime.date.fromisoformat(self.calibrated_on) if self.calibrated_on else None


class TakeImport(_Body):
    """Which file of the cart; `confirm` that it is of this patient though it names another."""

    file: _Id
    confirm: bool = False


class CarriedFolder(_Body):
    """Where a courier's stick is mounted."""

    folder: Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=r"^/[^\x00]*$")]


class StickWork(_Body):
    """Which stick, and which way."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^/\x00]+$")]
    way: Literal["to", "from"]


class Empty(_Body):
    """Nothing."""


class Reason(_Body):
    """Why."""

    reason: Annotated[str, StringConstraints(max_length=200)] = ""
