"""The courier's stick at the box: sealed bundles out, receipts and answers in."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from chevet.edge.errors import Refusal
from chevet.edge.spool import SETTLED, Spool
from chevet.exchange.carrier import (
    BACK,
    DOWN,
    UP,
    Item,
    NoStick,
    Stick,
    file_size,
    messages_of,
    up_name,
)
from chevet.exchange.errors import Refused
from chevet.exchange.manifest import read_manifest
from chevet.exchange.messages import MAX_QUERY, ManifestMessage, Query, read, write

SPARE: Final = 1 << 20
"""Left free on the stick for the relay's receipts and answers."""
SENTENCES: Final = {
    "not_a_carrier": "it is not a file of a carrier",
    "other_version": "it was written by a newer version: bring this machine up to date",
    "other_site": "it names another site than its file name",
    "too_large": "it is larger than anything that is carried",
    "cut_short": "it ends too early: carry it anew",
    "altered": "it was changed or damaged after it was written: carry it anew",
    "other_content": "it holds something else than its name says",
    "not_a_file": "it is a link, a folder or a pipe instead of a file",
    "malformed": "it holds something that is no message",
    "unreadable": "its bytes cannot be read from this box's disk any more: `chevet-edge doctor`",
}


def told(reason: str) -> str:
    """Return the sentence of a refusal."""
    return SENTENCES.get(reason, f"it was refused ({reason})")


@dataclass(slots=True)
class Exported:
    """What went onto a stick: bundles written, there already, and left for want of room.

    Attributes:
        number, of, percent: how far it is, in bundles and in bytes.
    """

    written: int = 0
    there: int = 0
    left: int = 0
    bytes: int = 0
    number: int = 0
    of: int = 0
    percent: int = 0


def export(spool: Spool, site: str, root: Path, done: Exported) -> Iterator[str]:
    """Copy all that waits onto a stick, urgent first; yield a line for each step. Run again, it goes on.

    Args:
        spool: of this box.
        site: its code.
        root: where the stick is mounted.
        done: is counted up.

    Raises:
        Refusal: `no_stick`, with the remedy.
    """
    waiting = sorted(spool.pending(), key=lambda manifest: read_manifest(manifest).priority)
    sizes = [file_size(manifest) for manifest in waiting]
    done.of = len(waiting)
    try:
        with Stick(root, make=True) as stick:
            for number, (manifest, size) in enumerate(zip(waiting, sizes, strict=True), 1):
                line = _export_one(stick, spool, site, manifest, size, done)
                done.number, done.percent = number, 100 * sum(sizes[:number]) // max(sum(sizes), 1)
                yield f"{number} of {done.of}  {done.percent:>3} %  {line}"
    except NoStick as error:
        raise Refusal("no_stick", str(error)) from None
    except OSError as error:
        raise Refusal(
            "no_stick", f"The stick could not be written ({error.strerror}); what was told is safely on it."
        ) from None


def _export_one(stick: Stick, spool: Spool, site: str, manifest: bytes, size: int, done: Exported) -> str:
    said = read_manifest(manifest)
    item = Item(up_name(site, said.tid), UP, site, said.tid)
    try:
        if stick.size(item):
            stick.check(item)
            done.there += 1
            return f"{said.id}: is on the stick already"
    except Refused:
        stick.remove(item.name)  # cut short or damaged: written anew
    if stick.free() < size + SPARE:
        done.left += 1
        return f"{said.id}: no room for its {_mb(size)}; bring another stick, or empty this one"
    try:
        written = stick.write(item, messages_of(spool, manifest))
    except Refused as refused:
        done.left += 1
        return f"{said.id}: {told(refused.reason)}"
    done.written += 1
    done.bytes += written
    return f"{said.id}: {_mb(written)}"


Taking: TypeAlias = Callable[[bytes], Awaitable[list[bytes]]]
"""Takes one message of the relay; returns what to answer."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What a stick brought: messages taken, bundles now settled, answers written back for the relay."""

    messages: int
    settled: int
    answers: int


async def bring(spool: Spool, site: str, root: Path, take: Taking) -> Brought:
    """Take what the relay put onto a stick for this site, settle, and leave our receipts on it.

    Args:
        spool: of this box.
        site: its code; files of others are not touched.
        root: where the stick is mounted.
        take: gives a message to Sender or Receiver, as if it had come over the line.

    Raises:
        Refusal: `no_stick` or `bad_stick`, with the remedy.
    """
    item = Item(f"{site}.{DOWN}", DOWN, site, b"")
    try:
        with Stick(root) as stick:
            if not stick.size(item):
                raise NoStick(f"The stick has nothing of the relay for site {site}: import it there first.")
            stick.check(item)
            count, answers = await _take_all(stick, item, take)
            if answers:
                stick.write(Item(f"{site}.{BACK}", BACK, site, b""), answers)
            return Brought(count, _clear(stick, spool, site), len(answers))
    except Refused as refused:
        sentence = told(refused.reason)
        raise Refusal("bad_stick", f"{item.name} on the stick was not taken: {sentence}.") from None
    except NoStick as error:
        raise Refusal("no_stick", str(error)) from None
    except OSError as error:
        raise Refusal("no_stick", f"The stick could not be used ({error.strerror}); try it again.") from None


async def _take_all(stick: Stick, item: Item, take: Taking) -> tuple[int, list[bytes]]:
    """Return how many messages there were, and the receipts for what they brought, each once."""
    count, answers, tids = 0, list[bytes](), list[bytes]()
    for message in stick.messages(item):
        count += 1
        answers += await take(message)
        tids += _announced(message)
    for start in range(0, len(tids), MAX_QUERY):
        # What was here before says nothing when it comes again; asked, it gives its receipt.
        answers += await take(write(Query(1, tuple(tids[start : start + MAX_QUERY]))))
    return count, list(dict.fromkeys(answers))


def _announced(message: bytes) -> list[bytes]:
    """Return the transfer that a manifest message announces; nothing for any other, noise too."""
    try:
        said = read(message)
        return [read_manifest(said.manifest).tid] if isinstance(said, ManifestMessage) else []
    except Refused:
        return []  # the Receiver kept it as a dead letter


def _clear(stick: Stick, spool: Spool, site: str) -> int:
    """Take bundles off the stick that are at the relay now; return how many."""
    settled = {spooled.tid for spooled in spool.ended() if spooled.state == SETTLED}
    gone = [item for item in stick.items() if item.kind == UP and item.site == site and item.tid in settled]
    for item in gone:
        stick.remove(item.name)
    return len(gone)


def _mb(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size >= 100_000 else f"{size / 1000:.1f} KB"
