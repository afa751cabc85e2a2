"""What can go wrong in the relay, each as one sentence that names the remedy."""

import traceback
from pathlib import Path


class RelayError(Exception):
    """Root of the relay's errors; `str(error)` is one clear sentence without patient data."""


class SettingsError(RelayError):
    """The configuration cannot be used.

    Attributes:
        key: the setting or file that is wrong.
    """

    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(sentence)
        self.key = key


class DiskFullError(RelayError):
    """The archive's disk has no room; nothing was acknowledged."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"The disk that holds {path} is full: free space there; senders repeat what is missing."
        )
        self.path = path


class ArchiveError(RelayError):
    """The archive is damaged, of a newer version, or refused a write."""


class StoreAwayError(RelayError):
    """The store of the objects does not answer: nothing was acknowledged, and the same works again later.

    Never to be taken for an object that is missing.
    """

    def __init__(self, place: str, why: str) -> None:
        super().__init__(
            f"The store {place} does not answer ({why}): check it and the network; what was not stored is "
            "sent again."
        )
        self.place = place


class CarryError(RelayError):
    """A courier's stick cannot be used."""


class BrokerError(RelayError):
    """The embedded broker cannot run.

    Attributes:
        port: the TCP port it was asked to serve.
    """

    def __init__(self, port: int, sentence: str) -> None:
        super().__init__(sentence)
        self.port = port


class RefusedError(RelayError):
    """A request the relay will not carry out, as the API tells it.

    Attributes:
        status: HTTP status.
        code: coded word that screens translate.
        field: the field concerned, or None.
    """

    def __init__(self, status: int, code: str, sentence: str, field: str | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.field = field


def place_of(error: BaseException) -> str:
    """Return what kind of error it is and where it arose; its text may quote patient data and is left out."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"
    return f"{type(error).__name__} at {where}"
