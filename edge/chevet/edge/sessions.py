"""Who is signed in at the kiosk: tokens in memory, so that a restart signs everybody out."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from chevet.edge.errors import Refusal
from chevet.edge.workers import Worker

COOKIE = "chevet_edge_session"
IDLE_S = 30 * 60.0
"""A kiosk left alone signs out; a visit in progress is kept as a draft."""
SESSIONS_AT_MOST = 64


@dataclass(slots=True)
class _Session:
    worker: Worker
    used_at: float


class Sessions:
    """The open sessions.

    Attributes:
        box_word: opens the list of devices to the box's own user (`box_word`); "" opens nothing.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.box_word = ""
        self._monotonic = monotonic
        self._sessions: dict[str, _Session] = {}

    def open(self, worker: Worker) -> str:
        """Sign a worker in and return the token for the cookie."""
        if len(self._sessions) >= SESSIONS_AT_MOST:
            oldest = min(self._sessions, key=lambda token: self._sessions[token].used_at)
            del self._sessions[oldest]
        token = secrets.token_urlsafe(32)
        self._sessions[token] = _Session(worker, self._monotonic())
        return token

    def find(self, token: str | None) -> Worker | None:
        """Return who holds this token, and keep the session awake."""
        session = self._sessions.get(token or "")
        if session is None:
            return None
        if self._monotonic() - session.used_at > IDLE_S:
            self.close(token)
            return None
        session.used_at = self._monotonic()
        return session.worker

    def require(self, token: str | None) -> Worker:
        """Return who holds this token.

        Raises:
            Refusal: not_signed_in.
        """
        worker = self.find(token)
        if worker is None:
            raise Refusal("not_signed_in", "Sign in with your PIN first.", status=401)
        return worker

    def close(self, token: str | None) -> None:
        """Sign out."""
        self._sessions.pop(token or "", None)
