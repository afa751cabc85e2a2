"""Words for a site: composed beside others, their objects brought to the store, then written down at once.

Whoever writes holds the archive alone, and a store on the network takes its time: so an answer is sealed and
stored first, and named by a row only where nothing it was composed on has changed meanwhile.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from sqlalchemy import Connection, insert

from chevet.exchange.sealing import Sealed
from chevet.relay.archive.cases import Case
from chevet.relay.archive.changes import tell
from chevet.relay.archive.database import Database
from chevet.relay.archive.objects import Objects
from chevet.relay.archive.outbox import bring, post
from chevet.relay.archive.schema import answers
from chevet.study.bundle import Bundle
from chevet.study.case import Message, Opinion

W = TypeVar("W", Opinion, Message)
TRIES: Final = 4
"""So often words are composed beside others before the archive is held for them."""


@dataclass(frozen=True, slots=True)
class Composed(Generic[W]):
    """Words that are signed and sealed.

    Attributes:
        words: what was composed.
        case: whose.
        letters: the words' bundle, then that of the sound they name, if any.
        stamp: what they were composed on.
    """

    words: W
    case: Case
    letters: tuple[tuple[Bundle, Sealed], ...]
    stamp: tuple[object, ...]


def sent(
    database: Database,
    store: Objects,
    compose: Callable[[Connection], Composed[W]],
    stamp: Callable[[Connection], tuple[object, ...]],
    keep: Callable[[Connection, Composed[W]], None],
) -> W:
    """Compose, bring to the store, write down; composed anew where the stamp changed, at last with all held.

    Args:
        database: the archive.
        store: where the objects go. What was brought and not named waits for `objects sweep`.
        compose: makes the words; raises RefusedError where they may not be.
        stamp: what must not have changed when they are written down.
        keep: writes them down.

    Raises:
        RefusedError: of `compose` or `stamp`.
        StoreAwayError: the store does not answer; nothing was written down.
    """
    store.ready()
    for _ in range(TRIES):
        with database.read() as view:
            made = compose(view)
        _bring(store, made)
        with database.write() as connection:
            if stamp(connection) == made.stamp:
                keep(connection, made)
                return made.words
    with database.write() as connection:
        made = compose(connection)
        _bring(store, made)
        keep(connection, made)
    return made.words


def write_down(connection: Connection, made: Composed[W], author: str, version: int, now_ms: int) -> None:
    """Put words and sound into the site's outbox; a sound has no versions."""
    for bundle, sealed in made.letters:
        post(connection, sealed, bundle, made.case.site, now_ms)
        connection.execute(
            insert(answers).values(
                id=bundle.id,
                tid=sealed.tid.hex(),
                case_id=made.case.id,
                kind=bundle.kind,
                version=1 if bundle.kind == "voice" else version,
                author=author,
                at_ms=now_ms,
            )
        )
    tell(connection, made.case.id, now_ms)


def _bring(store: Objects, made: Composed[W]) -> None:
    for _, sealed in made.letters:
        bring(store, sealed)
