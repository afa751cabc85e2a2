"""One-time codes that let a new box in: what proves them, how long they are good, who used them."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import insert, or_, select, update

from chevet.exchange.enrolment import Code
from chevet.relay.accounts.users import OPERATOR
from chevet.relay.archive.audit import Audit
from chevet.relay.archive.database import Database
from chevet.relay.archive.schema import Found, invites, sites
from chevet.relay.errors import RefusedError, SettingsError

TRIES: Final = 5
"""Wrong proofs before a code is void: its name travels in the open, so somebody may try."""
CODE_LENGTH: Final = 6
_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Invite:
    """A site that may enrol by one code."""

    id: str
    site: str
    name: str
    phone: str
    proof_key: bytes


class Invites:
    """The codes of one archive."""

    def __init__(self, database: Database, audit: Audit, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._audit = audit
        self._now_ms = now_ms

    def add(
        self, code: Code, name: str, *, site: str = "", phone: str = "", hours: int, by: str = OPERATOR
    ) -> str:
        """Keep what proves a code, good for `hours`; return the site's code ("" chooses one by its name).

        Earlier unused codes of the site are void from now on.

        Raises:
            SettingsError: the site is revoked, or no code can be made from its name.
        """
        now = self._now_ms()
        with self._database.write() as connection:
            rows = connection.execute(select(sites.c.code, sites.c.revoked_ms)).all()
            if not site:
                asked = connection.execute(select(invites.c.site).where(invites.c.name != name)).scalars()
                site = _chosen(name, {row.code for row in rows} | set(asked))
            if any(row.code == site and row.revoked_ms is not None for row in rows):
                raise SettingsError("site", f"The site '{site}' was revoked: give the box a new code.")
            unused = (invites.c.site == site, invites.c.verify_key.is_(None))
            connection.execute(update(invites).where(*unused).values(expires_ms=0))
            connection.execute(
                insert(invites).values(
                    id=code.invite,
                    site=site,
                    name=name,
                    phone=phone,
                    proof_key=code.proof_key,
                    expires_ms=now + hours * _HOUR_MS,
                    failures=0,
                )
            )
            self._audit.add(connection, now, by, "site.invite", site)
        return site

    def waiting(self) -> list[tuple[str, str, int]]:
        """Return site, name and end (Unix ms) of each code that is good and unused, by site."""
        good = (
            invites.c.verify_key.is_(None),
            invites.c.expires_ms > self._now_ms(),
            invites.c.failures < TRIES,
        )
        query = select(invites.c.site, invites.c.name, invites.c.expires_ms).where(*good)
        with self._database.read() as connection:
            return [
                (row.site, row.name, row.expires_ms)
                for row in connection.execute(query.order_by(invites.c.site))
            ]

    def find(self, ident: str) -> Invite:
        """Return what a code of that name stands for.

        Raises:
            RefusedError: `code_unknown`, `code_expired`, `code_void`.
        """
        with self._database.read() as connection:
            row = connection.execute(select(invites).where(invites.c.id == ident)).first()
        if row is None:
            raise _refused("code_unknown", "This code is not known here: check the address and the code")
        if row.failures >= TRIES:
            raise _refused("code_void", "This code was tried wrongly too often and is void")
        if row.expires_ms < self._now_ms():
            raise _refused("code_expired", "This code is no longer good")
        return _invite(row)

    def failed(self, ident: str) -> None:
        """Count one wrong proof."""
        with self._database.write() as connection:
            where = invites.c.id == ident
            connection.execute(update(invites).where(where).values(failures=invites.c.failures + 1))

    def use(self, invite: Invite, verify_key: bytes) -> None:
        """Give the code to the box of that key; the same box may come again, no other.

        Raises:
            RefusedError: `code_used`.
        """
        free = or_(invites.c.verify_key.is_(None), invites.c.verify_key == verify_key)
        with self._database.write() as connection:
            done = connection.execute(
                update(invites).where(invites.c.id == invite.id, free).values(verify_key=verify_key)
            )
        if not done.rowcount:
            raise _refused("code_used", "This code was used by another box")


def site_code(name: str, taken: set[str]) -> str:
    """Return a free code of at most six characters a-z and 0-9 that reminds of the name, "" if there is none.

    "Aït Bouguemez" gives "aitbou"; the second one "aitbo2".
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]", "", plain)[:CODE_LENGTH]
    tries = [base, *(f"{base[: CODE_LENGTH - len(str(n))]}{n}" for n in range(2, 10_000))] if base else []
    return next((code for code in tries if code not in taken), "")


def _chosen(name: str, taken: set[str]) -> str:
    chosen = site_code(name, taken)
    if not chosen:
        raise SettingsError("site", f"No code can be made from the name '{name}': give one with --code.")
    return chosen


def _refused(code: str, sentence: str) -> RefusedError:
    return RefusedError(403, code, f"{sentence}; `chevet-relay site add` makes a new one.")


def _invite(row: Found) -> Invite:
    return Invite(row.id, row.site, row.name, row.phone, row.proof_key)
