"""What can go wrong at the bedside: one root, few children, attributes rather than text."""

from pathlib import Path


class EdgeError(Exception):
    """Root of everything the agent raises itself."""


class SettingsError(EdgeError):
    """The configuration cannot be used; `sentence` names what to change.

    Attributes:
        sentence: one clear English sentence with the remedy.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class StoreDamaged(EdgeError):  # noqa: N818 - named for what happened
    """A database of the box fails its integrity check.

    Attributes:
        path: the database file.
        detail: SQLite's first complaint.
    """

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(f"{path} is damaged ({detail}); copy it aside, then restore it from a backup")
        self.path = path
        self.detail = detail


class Covered(EdgeError):  # noqa: N818 - named for what it is
    """What the box wrote is covered with a key that is not this one; nothing was touched.

    Attributes:
        what: which part, and why it does not fit.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}; restore lock.json (or lock.copy.json) of this box from a backup")
        self.what = what


class JournalDamaged(EdgeError):  # noqa: N818 - named for what happened
    """A capture's journal has no readable beginning, so nothing of it can be told apart.

    Attributes:
        path: the journal file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path.name} has no readable beginning")
        self.path = path


class Refusal(EdgeError):  # noqa: N818 - not an error of ours, an answer
    """A request that cannot be granted now; becomes the one error form of the API.

    Attributes:
        code: coded word that screens translate.
        message: one clear English sentence with the remedy; never patient data.
        field: the request's field, or the missing thing.
        status: HTTP status.
    """

    def __init__(self, code: str, message: str, *, status: int = 409, field: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.status = status


class DiskFull(Refusal):
    """No room left to write patient data durably."""

    def __init__(self) -> None:
        super().__init__(
            "disk_full",
            "The box has no room for new recordings; bring it online so that studies leave, or free space.",
            status=507,
        )


def not_found(what: str) -> Refusal:
    """Refusal for an id that is not (or no longer) here; `what` is our own word, never the caller's."""
    return Refusal("not_found", f"There is no such {what} on this box.", status=404)
