"""The sites that may send: their names and public keys."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from chevet.relay.accounts.users import OPERATOR
from chevet.relay.archive.audit import Audit
from chevet.relay.archive.database import Database
from chevet.relay.archive.schema import Found, sites
from chevet.relay.archive.stock import keep_stock
from chevet.relay.errors import SettingsError
from chevet.relay.keys import SiteFile


@dataclass(frozen=True, slots=True)
class Site:
    """One health centre. Keys are raw: Ed25519 to verify, X25519 to seal to."""

    code: str
    name: str
    phone: str
    verify_key: bytes
    seal_key: bytes
    revoked: bool


class Sites:
    """The sites in one archive."""

    def __init__(self, database: Database, audit: Audit, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._audit = audit
        self._now_ms = now_ms

    def set_stock(self, code: str, medicines: Sequence[str], *, by: str = OPERATOR) -> None:
        """Put `medicines` in place of a site's list.

        Raises:
            SettingsError: there is no such site.
        """
        with self._database.write() as connection:
            if find_site(connection, code) is None:
                raise SettingsError("site", f"no site {code} is known: chevet-relay site list names them.")
            keep_stock(connection, code, medicines)
            said = f"{len(medicines)} medicines"
            self._audit.add(connection, self._now_ms(), by, "site.stock", code, said)

    def rename(self, code: str, name: str, phone: str, *, by: str = OPERATOR) -> None:
        """Put another name and telephone number in the place of a site's.

        Raises:
            SettingsError: there is no such site.
        """
        with self._database.write() as connection:
            words = update(sites).where(sites.c.code == code).values(name=name, phone=phone)
            if not connection.execute(words).rowcount:
                raise SettingsError("site", f"There is no site '{code}': see `chevet-relay site list`.")
            self._audit.add(connection, self._now_ms(), by, "site.rename", code)

    def add(self, file: SiteFile) -> Site:
        """Let a site in; adding the same file again changes nothing.

        Raises:
            SettingsError: the code belongs to other keys, or was revoked.
        """
        verify_key, seal_key = file.keys()
        known = self.get(file.site)
        if known is not None:
            return _same(known, verify_key, seal_key)
        site = Site(file.site, file.name, file.phone, verify_key, seal_key, revoked=False)
        now = self._now_ms()
        with self._database.write() as connection:
            connection.execute(
                insert(sites).values(
                    code=site.code,
                    name=site.name,
                    phone=site.phone,
                    verify_key=verify_key,
                    seal_key=seal_key,
                    added_ms=now,
                )
            )
            self._audit.add(connection, now, OPERATOR, "site.add", site.code)
        return site

    def revoke(self, code: str, *, by: str = OPERATOR) -> None:
        """Refuse everything the site sends from now on; what it sent stays.

        Raises:
            SettingsError: there is no such site.
        """
        now = self._now_ms()
        with self._database.write() as connection:
            done = connection.execute(update(sites).where(sites.c.code == code).values(revoked_ms=now))
            if not done.rowcount:
                raise SettingsError("site", f"There is no site '{code}': see `chevet-relay site list`.")
            self._audit.add(connection, now, by, "site.revoke", code)

    def get(self, code: str) -> Site | None:
        """Return the site of that code, revoked or not."""
        with self._database.read() as connection:
            return find_site(connection, code)

    def list(self) -> list[Site]:
        """Return every site, by code."""
        with self._database.read() as connection:
            return [_site(row) for row in connection.execute(select(sites).order_by(sites.c.code))]


def find_site(connection: Connection, code: str) -> Site | None:
    """Return the site of that code, revoked or not."""
    row = connection.execute(select(sites).where(sites.c.code == code)).first()
    return _site(row) if row else None


def _same(known: Site, verify_key: bytes, seal_key: bytes) -> Site:
    if known.revoked:
        raise SettingsError("site", f"The site '{known.code}' was revoked: give the box a new code.")
    if (known.verify_key, known.seal_key) != (verify_key, seal_key):
        raise SettingsError(
            "site",
            f"The site '{known.code}' is known with other keys: revoke it, or give the box a new code.",
        )
    return known


def _site(row: Found) -> Site:
    return Site(row.code, row.name, row.phone, row.verify_key, row.seal_key, row.revoked_ms is not None)
