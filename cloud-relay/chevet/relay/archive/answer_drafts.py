"""Answers that are still being written: sealed under a key that stays out of the archive, never signed.

Each specialist has at most one draft of a case; it goes when the case is answered, and with the case.
"""

import json
import os
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, delete, func, insert, select

from chevet.relay.archive.schema import answers
from chevet.relay.archive.schema_kept import answer_drafts
from chevet.relay.errors import RefusedError

NONCE_BYTES = 12
_PURPOSE = b"chevet answer drafts"


@dataclass(frozen=True, slots=True)
class Kept:
    """A draft as it was last written: `words` by field, `opinions` there were then, Unix ms."""

    words: dict[str, Any]
    opinions: int
    at_ms: int


class AnswerDrafts:
    """Keeps drafts; every call stands in the caller's transaction."""

    def __init__(self, root: bytes) -> None:
        """Derive the sealing key from `root`, 32 secret bytes that are not in the archive."""
        self._key = AESGCM(HKDF(SHA256(), 32, None, _PURPOSE).derive(root))

    def of(self, connection: Connection, case_id: str, user_id: str) -> Kept | None:
        """Return what `user_id` has written about a case, or None; None too where the keys are others."""
        mine = (answer_drafts.c.case_id == case_id, answer_drafts.c.user_id == user_id)
        row = connection.execute(select(answer_drafts).where(*mine)).first()
        if row is None:
            return None
        nonce, sealed = row.sealed[:NONCE_BYTES], row.sealed[NONCE_BYTES:]
        try:
            words = json.loads(self._key.decrypt(nonce, sealed, _bound(case_id, user_id)))
        except InvalidTag:
            return None
        return Kept(words, row.opinions, row.at_ms)

    def keep(
        self,
        connection: Connection,
        case_id: str,
        user_id: str,
        draft: Kept,
        replaces_ms: int | None,
    ) -> None:
        """Put a draft in the place of the one it was written from.

        Args:
            connection: a write transaction.
            case_id: of a case that `user_id` has claimed.
            user_id: the author.
            draft: what was written, and when it came here.
            replaces_ms: `at_ms` of the draft it was written from, 0 where there was none, None for any.

        Raises:
            RefusedError: 409 `answered_meanwhile` where there are more opinions by now, `draft_changed`
                where the draft here is another one.
        """
        said = select(func.count()).select_from(answers)
        said = said.where(answers.c.case_id == case_id, answers.c.kind == "opinion")
        if connection.execute(said).scalar_one() > draft.opinions:
            raise RefusedError(
                409, "answered_meanwhile", "The case was answered meanwhile: read that answer first."
            )
        before = self.of(connection, case_id, user_id)
        if replaces_ms is not None and before is not None and before.at_ms != replaces_ms:
            raise RefusedError(
                409, "draft_changed", "This draft was changed elsewhere meanwhile: choose one of the two."
            )
        self.forget(connection, case_id, user_id)
        nonce, plain = os.urandom(NONCE_BYTES), json.dumps(draft.words).encode()
        sealed = nonce + self._key.encrypt(nonce, plain, _bound(case_id, user_id))
        row = {"case_id": case_id, "user_id": user_id, "sealed": sealed}
        connection.execute(insert(answer_drafts).values(**row, opinions=draft.opinions, at_ms=draft.at_ms))

    def forget(self, connection: Connection, case_id: str, user_id: str) -> None:
        """Throw one draft away."""
        mine = (answer_drafts.c.case_id == case_id, answer_drafts.c.user_id == user_id)
        connection.execute(delete(answer_drafts).where(*mine))


def forget_drafts(connection: Connection, case_id: str) -> None:
    """Throw everybody's drafts of a case away."""
    connection.execute(delete(answer_drafts).where(answer_drafts.c.case_id == case_id))


def _bound(case_id: str, user_id: str) -> bytes:
    return f"{case_id} {user_id}".encode()
