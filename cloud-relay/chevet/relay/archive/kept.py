"""Cases on specialists' own devices: which device keeps what, until when, and what it must forget.

The relay cannot reach into a device. A device that meets it shows its token and is told what may stay; what
must go, and what its time ran out for, it deletes. The token opens nothing else.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from chevet.relay.archive.schema import Found, cases, erasures, users, withdrawals
from chevet.relay.archive.schema_kept import kept_cases, kept_devices

DAY_MS = 24 * 3600 * 1000
TOKEN_BYTES = 32
ID_BYTES = 8
CARE = "care"
ENDED, EXPIRED, GONE, ANSWERED, NOT_CLAIMED = "ended", "expired", "gone", "answered", "not_claimed"
"""Why a case must go: device signed out, days over, the case hidden, answered, or not theirs."""


@dataclass(frozen=True, slots=True)
class Device:
    """A browser that keeps cases, as its owner sees it; times in Unix ms."""

    id: str
    browser: str
    created_ms: int
    seen_ms: int
    session_id: str
    cases: int
    until_ms: int


def refusal(connection: Connection, case_id: str, user_id: str) -> str:
    """Say why `user_id` may not keep a case: "" or one of GONE, ANSWERED, NOT_CLAIMED.

    Reads no word of the case, so it holds for sealed cases too.
    """
    hidden = select(erasures.c.case_id).where(erasures.c.case_id == case_id)
    withdrawn = select(withdrawals.c.purpose).where(
        withdrawals.c.case_id == case_id, withdrawals.c.purpose == CARE
    )
    row = connection.execute(select(cases).where(cases.c.id == case_id)).first()
    if row is None or connection.execute(hidden).first() or connection.execute(withdrawn).first():
        return GONE
    if row.answered_ms is not None:
        return ANSWERED
    return "" if row.claimed_by == user_id else NOT_CLAIMED


def begin_device(connection: Connection, user_id: str, session_id: str, browser: str, now_ms: int) -> str:
    """Note a new device and return its token, which is stored nowhere here."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    connection.execute(
        insert(kept_devices).values(
            id=secrets.token_hex(ID_BYTES),
            token_hash=_hash(token),
            user_id=user_id,
            session_id=session_id,
            browser=browser[:40],
            created_ms=now_ms,
            seen_ms=now_ms,
        )
    )
    return token


def device_of(connection: Connection, token: str) -> Found | None:
    """Return the device that holds `token` (its columns, and `disabled_ms` of its owner), or None."""
    query = select(kept_devices, users.c.disabled_ms).join(users, users.c.id == kept_devices.c.user_id)
    return connection.execute(query.where(kept_devices.c.token_hash == _hash(token))).first()


def stands(device: Found | None) -> bool:
    """Say whether a device may keep anything at all."""
    return device is not None and device.ended_ms is None and device.disabled_ms is None


def note_case(connection: Connection, device_id: str, case_id: str, now_ms: int, days: int) -> int:
    """Note that a device keeps a case from now on; return until when, Unix ms."""
    until = now_ms + days * DAY_MS
    forget_cases(connection, device_id, [case_id])
    row = {"device": device_id, "case_id": case_id, "kept_ms": now_ms, "until_ms": until}
    connection.execute(insert(kept_cases).values(**row))
    return until


def forget_cases(connection: Connection, device_id: str, case_ids: Iterable[str]) -> None:
    """Note that a device does not keep these cases any more."""
    gone = (kept_cases.c.device == device_id, kept_cases.c.case_id.in_(list(case_ids)))
    connection.execute(delete(kept_cases).where(*gone))


def standing(connection: Connection, device: Found, now_ms: int) -> tuple[dict[str, int], dict[str, str]]:
    """Return what a device may go on keeping (case id to until when) and what must go (case id to why)."""
    rows = connection.execute(select(kept_cases).where(kept_cases.c.device == device.id)).all()
    stay: dict[str, int] = {}
    gone: dict[str, str] = {}
    for row in rows:
        why = EXPIRED if row.until_ms <= now_ms else refusal(connection, row.case_id, device.user_id)
        if why:
            gone[row.case_id] = why
        else:
            stay[row.case_id] = row.until_ms
    return stay, gone


def seen(connection: Connection, device_id: str, session_id: str, now_ms: int) -> None:
    """Note that a device met the relay; `session_id` "" where it was not signed in."""
    told: dict[str, object] = {"seen_ms": now_ms} | ({"session_id": session_id} if session_id else {})
    connection.execute(update(kept_devices).where(kept_devices.c.id == device_id).values(**told))


def devices_of(connection: Connection, user_id: str, now_ms: int) -> list[Device]:
    """Return a user's devices that keep something whose time is not over, the last seen first."""
    query = (
        select(kept_devices, func.count().label("held"), func.max(kept_cases.c.until_ms).label("until_ms"))
        .join(kept_cases, kept_cases.c.device == kept_devices.c.id)
        .where(kept_devices.c.user_id == user_id, kept_devices.c.ended_ms.is_(None))
        .where(kept_cases.c.until_ms > now_ms)
        .group_by(*kept_devices.c)
        .order_by(kept_devices.c.seen_ms.desc(), kept_devices.c.id)
    )
    return [
        Device(row.id, row.browser, row.created_ms, row.seen_ms, row.session_id, row.held, row.until_ms)
        for row in connection.execute(query)
    ]


def end_devices(
    connection: Connection,
    user_id: str,
    now_ms: int,
    *,
    device_id: str | None = None,
    session_id: str | None = None,
    but_session: str | None = None,
) -> int:
    """Have devices of an account forget what they keep when they next meet the relay; return how many.

    Args:
        connection: a write transaction.
        user_id: whose devices.
        now_ms: Unix ms.
        device_id: this one alone.
        session_id: those last seen with this session alone.
        but_session: all but those last seen with this session.
    """
    told = update(kept_devices).where(kept_devices.c.user_id == user_id, kept_devices.c.ended_ms.is_(None))
    if device_id is not None:
        told = told.where(kept_devices.c.id == device_id)
    if session_id is not None:
        told = told.where(kept_devices.c.session_id == session_id)
    if but_session is not None:
        told = told.where(kept_devices.c.session_id != but_session)
    return connection.execute(told.values(ended_ms=now_ms)).rowcount


def sweep_devices(connection: Connection, now_ms: int) -> None:
    """Forget devices that keep nothing and were not seen for as long as anything may be kept."""
    over = select(kept_cases.c.device).where(kept_cases.c.until_ms > now_ms - 30 * DAY_MS)
    old = select(kept_devices.c.id).where(
        kept_devices.c.seen_ms <= now_ms - 60 * DAY_MS, kept_devices.c.id.not_in(over)
    )
    idle = list(connection.execute(old).scalars())
    connection.execute(delete(kept_cases).where(kept_cases.c.device.in_(idle)))
    connection.execute(delete(kept_devices).where(kept_devices.c.id.in_(idle)))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
