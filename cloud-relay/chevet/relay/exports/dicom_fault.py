"""What a content rule finds, and the two questions all of them ask."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydicom.dataset import Dataset


@dataclass(frozen=True, slots=True)
class Fault:
    """A broken rule: its coded word and the attribute's keyword, with no value of the object."""

    code: str
    where: str

    def __str__(self) -> str:
        return f"{self.code} ({self.where})"


def missing(ds: Dataset, filled: tuple[str, ...], present: tuple[str, ...] = ()) -> Iterator[Fault]:
    """Yield what lacks: `filled` attributes of type 1 need a value, `present` ones of type 2 may be empty."""
    for keyword in filled:
        if keyword not in ds or ds[keyword].value in (None, "", b"") or ds[keyword].is_empty:
            yield Fault("missing", keyword)
    for keyword in present:
        if keyword not in ds:
            yield Fault("missing", keyword)


def one_item(ds: Dataset, keyword: str) -> Dataset | None:
    """Return the only item of a sequence, or None."""
    items = ds.get(keyword)
    return items[0] if items is not None and len(items) == 1 else None
