"""Withdrawal of consent, retention, and the destruction of what a case held.

A case whose patient withdrew consent for care, or whose time is over, is hidden at once and destroyed when
the policy says: its sealed objects, chunks and drawings go; ids, times and the audit stay. What was destroyed
is told by a receipt that the relay signs.
"""

import base64
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Select, delete, func, insert, select, update

from chevet.relay.accounts.users import OPERATOR
from chevet.relay.archive.answer_drafts import forget_drafts
from chevet.relay.archive.changes import tell
from chevet.relay.archive.discussion_writes import destroy_words
from chevet.relay.archive.erased import ERASED
from chevet.relay.archive.lessons import destroy_lessons
from chevet.relay.archive.schema import bundles, cases, chunks, drawings, erasures, objects, withdrawals
from chevet.relay.archive.schema_kept import kept_cases
from chevet.relay.archive.shared_keys import forget
from chevet.relay.errors import RefusedError, SettingsError
from chevet.relay.relay import Relay
from chevet.study.study import CONSENT_PURPOSES

DAY_MS = 24 * 3600 * 1000
CARE = "care"


def withdraw(relay: Relay, case_id: str, purposes: tuple[str, ...], who: str) -> int | None:
    """Withdraw a patient's consent; without consent for care the case is hidden now and destroyed later.

    Args:
        relay: whose archive.
        case_id: the study's id.
        purposes: of CONSENT_PURPOSES.
        who: user id or "operator", for the audit.

    Returns:
        When it will be destroyed, Unix ms, or None where it stays for other purposes.

    Raises:
        RefusedError: 404 `not_found`, 422 `invalid`.
    """
    if not purposes or not set(purposes) <= set(CONSENT_PURPOSES):
        known = ", ".join(CONSENT_PURPOSES)
        raise RefusedError(422, "invalid", f"A purpose must be one of {known}.", "purposes")
    now = relay.now_ms()
    with relay.database.write() as connection:
        relay.cases.get(connection, case_id)
        there = select(withdrawals.c.purpose).where(withdrawals.c.case_id == case_id)
        known_before = set(connection.execute(there).scalars())
        for purpose in sorted(set(purposes) - known_before):
            row = {"case_id": case_id, "purpose": purpose, "who": who, "at_ms": now}
            connection.execute(insert(withdrawals).values(**row))
        relay.audit.add(connection, now, who, "consent.withdraw", case_id, ",".join(sorted(set(purposes))))
        due = now + relay.settings.erasure_days * DAY_MS if CARE in purposes else None
        if due is not None:
            _hide(connection, case_id, "consent", now, due)
        tell(connection, case_id, now)
    return due


def restore(relay: Relay, case_id: str) -> None:
    """Take back a withdrawal or an erasure that was a mistake, before its destruction began.

    Raises:
        SettingsError: nothing of that case waits for its destruction, or that has begun.
    """
    waits = (erasures.c.case_id == case_id, erasures.c.destroyed_ms.is_(None))
    with relay.database.write() as connection:
        row = connection.execute(select(erasures).where(*waits)).first()
        if row is None:
            raise SettingsError("case", f"Nothing of case {case_id} waits: see `chevet-relay erase list`.")
        if row.begun_ms is not None:
            raise SettingsError(
                "case",
                f"The destruction of case {case_id} has begun: it cannot be taken back. Only a backup from "
                "before still holds it whole.",
            )
        connection.execute(delete(erasures).where(*waits))
        connection.execute(delete(withdrawals).where(withdrawals.c.case_id == case_id))
        relay.audit.add(connection, relay.now_ms(), OPERATOR, "case.restore", case_id)
        tell(connection, case_id, relay.now_ms())


def sweep(relay: Relay) -> list[bytes]:
    """Hide what was kept long enough, destroy what is due; return the receipts of what was destroyed."""
    now = relay.now_ms()
    with relay.database.write() as connection:
        _retire(relay, connection, now)
        query = select(erasures.c.case_id).where(erasures.c.destroyed_ms.is_(None), erasures.c.due_ms <= now)
        due = list(connection.execute(query).scalars())
    receipts = [receipt for case_id in due if (receipt := _destroy(relay, case_id, now))]
    if due:  # whoever destroyed it: nothing opened of it stays in this process
        relay.vault.summary.cache_clear()
        relay.vault.part.cache_clear()
    return receipts


def receipt_of(relay: Relay, case_id: str) -> bytes | None:
    """Return the signed receipt of a case's destruction, or None."""
    with relay.database.read() as connection:
        query = select(erasures.c.receipt).where(erasures.c.case_id == case_id)
        found = connection.execute(query).scalar()
    return bytes(found) if found else None


def receipt_holds(receipt: bytes, relay_key: Ed25519PublicKey) -> bool:
    """Say whether the relay signed this receipt."""
    try:
        told = json.loads(receipt)
        relay_key.verify(base64.b64decode(told["signature"]), told["receipt"].encode())
    except (InvalidSignature, ValueError, KeyError, TypeError, AttributeError):
        return False
    return True


def _retire(relay: Relay, connection: Connection, now: int) -> None:
    """Hide answered cases that were kept for as long as the programme's policy says."""
    days = relay.settings.retention_days
    if not days:
        return
    old = select(cases.c.id).where(
        cases.c.answered_ms <= now - days * DAY_MS, cases.c.id.not_in(select(erasures.c.case_id))
    )
    for case_id in list(connection.execute(old).scalars()):
        _hide(connection, case_id, "retention", now, now)
        relay.audit.add(connection, now, "relay", "case.retire", case_id)


def _hide(connection: Connection, case_id: str, reason: str, now: int, due: int) -> None:
    same = select(erasures.c.case_id).where(erasures.c.case_id == case_id)
    if connection.execute(same).first() is None:
        row = {"case_id": case_id, "reason": reason, "asked_ms": now, "due_ms": due}
        connection.execute(insert(erasures).values(**row))


def _destroy(relay: Relay, case_id: str, now: int) -> bytes | None:
    """Destroy one case: it is written down first, then its objects go, then their names.

    A store on the network holds up nobody who writes meanwhile. Cut off anywhere, or with a store that is
    away, it is begun again with the next sweep, by the names that are still there.

    Returns:
        Its receipt, or None where it was restored, or destroyed by another worker, since it was found due.
    """
    relay.objects.ready()  # one that is away is found out before anything is begun
    if not _begin(relay, case_id, now):
        return None
    with relay.database.read() as view:
        own = _own_objects(view, case_id)
    gone = {name: size for name, size in sorted(own.items()) if _gone(relay, case_id, name)}
    return _end(relay, case_id, gone, now)


def _gone(relay: Relay, case_id: str, name: str) -> bool:
    """Destroy one object, unless another case has come to hold the same bytes since it was looked up."""
    with relay.database.write() as connection:  # short: whoever is writing that down has finished then
        if name not in _own_objects(connection, case_id, name):
            return False
    relay.objects.destroy(name)
    return True


def _begin(relay: Relay, case_id: str, now: int) -> bool:
    """Write down that destruction begins; nothing of the case is taken back or taken in from then on."""
    with relay.database.write() as connection:
        waiting = (erasures.c.case_id == case_id, erasures.c.destroyed_ms.is_(None))
        begun = update(erasures).where(*waiting).values(begun_ms=func.coalesce(erasures.c.begun_ms, now))
        if not connection.execute(begun).rowcount:
            return False
        under_way = (bundles.c.case_id == case_id, bundles.c.complete_ms.is_(None))
        connection.execute(update(bundles).where(*under_way).values(refused=ERASED))
    return True


def _end(relay: Relay, case_id: str, gone: dict[str, int], now: int) -> bytes | None:
    """Forget the rest of a case whose objects are gone, and sign what was destroyed."""
    with relay.database.write() as connection:
        waiting = select(erasures).where(erasures.c.case_id == case_id, erasures.c.destroyed_ms.is_(None))
        row = connection.execute(waiting).first()
        if row is None:
            return None  # another worker was faster
        late = _own_objects(connection, case_id)
        for name in late.keys() - gone.keys():  # another case held it too, and does so no more
            relay.objects.destroy(name)
        gone = late | gone
        _forget(connection, case_id)
        told = {
            "v": 1,
            "case": case_id,
            "reason": row.reason,
            "asked_ms": row.asked_ms,
            "destroyed_ms": now,
            "objects": [{"sha256": name, "bytes": size} for name, size in sorted(gone.items())],
        }
        receipt = _signed(relay, told)
        done = update(erasures).where(erasures.c.case_id == case_id)
        connection.execute(done.values(destroyed_ms=now, receipt=receipt))
        relay.audit.add(connection, now, "relay", "case.destroy", case_id, f"{len(gone)} objects")
        tell(connection, case_id, now)
    return receipt


def _forget(connection: Connection, case_id: str) -> None:
    mine = _transfers(case_id)
    connection.execute(delete(chunks).where(chunks.c.tid.in_(mine)))
    connection.execute(delete(drawings).where(drawings.c.case_id == case_id))
    connection.execute(delete(kept_cases).where(kept_cases.c.case_id == case_id))
    forget_drafts(connection, case_id)
    forget(connection, case_id)
    destroy_words(connection, case_id)
    destroy_lessons(connection, case_id)
    forgotten = {"name": None, "kind": None, "media_type": None, "recording": None, "number": None}
    connection.execute(update(objects).where(objects.c.tid.in_(mine)).values(**forgotten))


def _transfers(case_id: str) -> Select[Any]:
    return select(bundles.c.tid).where(bundles.c.case_id == case_id)


def _own_objects(connection: Connection, case_id: str, one: str = "") -> dict[str, int]:
    """Return the objects that the transfers of a case alone name: their bytes by name; `one` looks for it."""
    mine = _transfers(case_id)
    query = select(objects.c.name, objects.c.bytes).where(objects.c.tid.in_(mine))
    query = query.where(objects.c.name == one) if one else query
    held = {row.name: row.bytes for row in connection.execute(query) if row.name}
    others = select(objects.c.name).where(objects.c.tid.not_in(mine), objects.c.name.in_(list(held)))
    shared = set(connection.execute(others).scalars())
    return {name: size for name, size in held.items() if name not in shared}


def _signed(relay: Relay, told: dict[str, Any]) -> bytes:
    text = json.dumps(told, separators=(",", ":"), sort_keys=True)
    signature = base64.b64encode(relay.keys.relay.sign(text.encode())).decode("ascii")
    return json.dumps({"receipt": text, "signature": signature}).encode()
