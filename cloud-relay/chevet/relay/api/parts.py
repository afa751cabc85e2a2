"""Finding one recording of a case and opening its stored parts; every look is in the audit."""

from collections.abc import Callable
from dataclasses import dataclass

from chevet.relay.accounts.users import User
from chevet.relay.archive.cases import Case
from chevet.relay.archive.delivery import Stored, stored_parts
from chevet.relay.errors import RefusedError
from chevet.relay.relay import Relay
from chevet.study.bundle import Part
from chevet.study.recording import Recording

LAYERS = {"preview": 1, "diagnostic": 2, "lossless": 3}
NAMES = {number: name for name, number in LAYERS.items()}


@dataclass(frozen=True, slots=True)
class Found:
    """One recording of a case, and who looks at it."""

    relay: Relay
    user: User
    case: Case
    recording: Recording


def find(relay: Relay, user: User, case_id: str, recording_id: str) -> Found:
    """Return a recording of a case.

    Raises:
        RefusedError: 404 `not_found`.
    """
    with relay.database.read() as connection:
        case = relay.cases.get(connection, case_id)
    for recording in case.study.recordings:
        if recording.id == recording_id:
            return Found(relay, user, case, recording)
    raise RefusedError(404, "not_found", "This case has no such recording: open the case again.")


def opened(found: Found, layer: str | None, fits: Callable[[Stored], bool]) -> Part:
    """Open the best stored part that fits, and note in the audit that it was read.

    Args:
        found: from `find`.
        layer: "preview", "diagnostic", "lossless", or None for the best that is here.
        fits: which of the recording's parts will do.

    Raises:
        RefusedError: 404 `not_yet_here`.
    """
    relay, case, recording_id = found.relay, found.case, found.recording.id
    with relay.database.read() as connection:
        stored = [item for item in stored_parts(connection, case.tid) if item.recording == recording_id]
    fitting = [item for item in stored if fits(item) and (layer is None or item.layer == LAYERS[layer])]
    if not fitting:
        raise RefusedError(404, "not_yet_here", "This layer has not arrived yet: it is shown when it has.")
    best = max(fitting, key=lambda item: item.layer)
    read = "source" if best.kind == "source" else NAMES[best.layer]
    relay.cases.note(found.user, "recording.read", case.id, f"{recording_id} {read}")
    return relay.vault.part(case.manifest, best.oid, best.name)
