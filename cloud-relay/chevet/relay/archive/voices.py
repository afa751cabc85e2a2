"""Voice notes of a case: what is signed of one, and which of them a conversation names."""

import os
from collections.abc import Iterable

from sqlalchemy import Connection, select

from chevet.relay.archive.schema import Found, answers, bundles
from chevet.relay.errors import RefusedError
from chevet.study.case import Message, Opinion
from chevet.study.ids import RANDOM_BYTES, uuid7
from chevet.study.spoken import VoiceNote, told_of

Said = Iterable[tuple[Opinion | Message, bool]]


def told_voice(ogg: bytes | None, now_ms: int) -> VoiceNote | None:
    """Return what is signed of a sound, under a new id; None where there is none.

    Raises:
        BundleError: it is no voice note.
    """
    return told_of(uuid7(now_ms, os.urandom(RANDOM_BYTES)), ogg) if ogg else None


def named_voice(said: Said, voice_id: str) -> VoiceNote:
    """Return the voice note that verified words name.

    Raises:
        RefusedError: 404 `not_found`.
    """
    for one, holds in said:
        if holds and one.voice is not None and one.voice.id == voice_id:
            return one.voice
    raise nothing_named()


def nothing_named() -> RefusedError:
    """Return the refusal where no verified words name a voice note, or it is not what they name."""
    return RefusedError(404, "not_found", "There is no such voice note.")


def voice_before(opinions: Iterable[tuple[Opinion, bool]]) -> VoiceNote:
    """Return the voice of the newest version, for an amendment that goes on with it.

    Raises:
        RefusedError: 422 `no_voice`.
    """
    said = [opinion for opinion, holds in opinions if holds]
    if not said or said[-1].voice is None:
        raise RefusedError(422, "no_voice", "The version before has no voice note to keep.", "keep_voice")
    return said[-1].voice


def voice_row(connection: Connection, case_id: str, voice_id: str) -> Found | None:
    """Return the transfer that brought a voice note of this case, None until it is whole."""
    query = (
        select(bundles.c.tid, bundles.c.manifest)
        .join(answers, answers.c.tid == bundles.c.tid)
        .where(answers.c.id == voice_id, answers.c.case_id == case_id, answers.c.kind == "voice")
    )
    return connection.execute(query).first()
