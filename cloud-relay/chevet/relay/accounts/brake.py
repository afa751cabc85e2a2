"""The brake on guessing: after every five wrong tries in a row an account waits, longer each time.

It never locks for good, or anybody could lock a colleague out. An address that guesses at many accounts is
braked of its own. Tries count as failed before they are looked at, so that parallel guesses gain nothing;
what was tried is kept as a hash, whether it exists or not.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import Connection, delete, func, insert, select

from chevet.relay.accounts.rules import MINUTE_MS
from chevet.relay.archive.schema import failures
from chevet.relay.errors import RefusedError

IN_A_ROW = 5
PAUSES_MS = (MINUTE_MS, 4 * MINUTE_MS, 16 * MINUTE_MS, 60 * MINUTE_MS)
"""After 5, 10, 15, and every 5 more."""
REMEMBERED_MS = 24 * 60 * MINUTE_MS
ADDRESS_MOST = 50
"""Wrong tries from one address in ten minutes: a hospital behind one address stays below."""
ADDRESS_MS = 10 * MINUTE_MS
BEGUN_MOST = 120
"""Tries without a password that one address may begin in a minute: each is a row and a sync."""


@dataclass(frozen=True, slots=True)
class Try:
    """One try that was counted; `right` takes it back."""

    account: str
    numbers: tuple[int, ...]


class Begun:
    """Counts the tries without a password that begin at each address, in the memory of one process."""

    def __init__(self) -> None:
        self._minute, self._by, self._lock = 0, Counter[str](), Lock()

    def count(self, address: str, now_ms: int) -> None:
        """Let one more begin.

        Raises:
            RefusedError: 429 `too_many_attempts`.
        """
        with self._lock:
            if now_ms // MINUTE_MS != self._minute:
                self._minute, self._by = now_ms // MINUTE_MS, Counter()
            self._by[address] += 1
            if self._by[address] > BEGUN_MOST:
                raise RefusedError(
                    429, "too_many_attempts", "Too many tries begin here: wait a minute, then try again."
                )


def count_try(connection: Connection, kind: str, user_id: str, address: str, now_ms: int) -> Try:
    """Count a try as failed, or refuse it.

    Args:
        connection: a write transaction.
        kind: what is guessed at, "password", "code" or "passkey": each has its own count.
        user_id: as it was typed.
        address: where the caller is, "" where that is unknown.
        now_ms: Unix ms.

    Raises:
        RefusedError: 429 `too_many_attempts`.
    """
    connection.execute(delete(failures).where(failures.c.at_ms <= now_ms - REMEMBERED_MS))
    account = hashlib.sha256(f"{kind} {user_id}".encode()).hexdigest()
    place = hashlib.sha256(f"address {address}".encode()).hexdigest()
    wait_ms = max(_account_wait(connection, account, now_ms), _address_wait(connection, place, now_ms))
    if wait_ms > 0:
        minutes = -(-wait_ms // MINUTE_MS)
        raise RefusedError(
            429, "too_many_attempts", f"Too many wrong tries: wait {minutes} min, then try again."
        )
    keys = (account, place) if address else (account,)
    numbers = [
        connection.execute(insert(failures).values(user_hash=key, at_ms=now_ms)).inserted_primary_key
        for key in keys
    ]
    return Try(account, tuple(number[0] for number in numbers if number))


def right(connection: Connection, tried: Try) -> None:
    """Take back a try that was right, and with it all that went wrong before at the same account."""
    mine = (failures.c.user_hash == tried.account) | failures.c.number.in_(tried.numbers)
    connection.execute(delete(failures).where(mine))


def let_go(connection: Connection, user_id: str) -> None:
    """Forget what went wrong at one account, when the operator knows who it was."""
    for kind in ("password", "code", "passkey"):
        account = hashlib.sha256(f"{kind} {user_id}".encode()).hexdigest()
        connection.execute(delete(failures).where(failures.c.user_hash == account))


def _account_wait(connection: Connection, account: str, now_ms: int) -> int:
    query = select(func.count(), func.max(failures.c.at_ms)).where(failures.c.user_hash == account)
    wrong, last = connection.execute(query).one()
    if not wrong or wrong % IN_A_ROW:
        return 0
    pause: int = PAUSES_MS[min(wrong // IN_A_ROW, len(PAUSES_MS)) - 1]
    return int(last) + pause - now_ms


def _address_wait(connection: Connection, place: str, now_ms: int) -> int:
    query = select(func.count(), func.min(failures.c.at_ms)).where(
        failures.c.user_hash == place, failures.c.at_ms > now_ms - ADDRESS_MS
    )
    wrong, first = connection.execute(query).one()
    return int(first) + ADDRESS_MS - now_ms if wrong >= ADDRESS_MOST else 0
