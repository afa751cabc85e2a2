"""Which medicines a site has: what a specialist may advise without asking whether it is there."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from chevet.relay.archive.schema import stock
from chevet.relay.errors import SettingsError

LONGEST = 200
MOST = 500


def read_stock(text: str) -> tuple[str, ...]:
    """Return the medicines of a file, one a line; empty lines and those that begin with # do not count.

    Raises:
        SettingsError: as `listed` tells.
    """
    return listed([line for line in text.splitlines() if not line.strip().startswith("#")])


def listed(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the medicines of a list as it is kept: single spaces, nothing empty, nothing twice.

    Raises:
        SettingsError: a line is too long, or there are too many.
    """
    found = tuple(dict.fromkeys(" ".join(line.split()) for line in lines if line.strip()))
    if any(len(line) > LONGEST for line in found):
        raise SettingsError("stock", f"a line is longer than {LONGEST} characters: one medicine a line.")
    if len(found) > MOST:
        raise SettingsError("stock", f"more than {MOST} medicines: list what is given at this site.")
    return found


def keep_stock(connection: Connection, site: str, medicines: Sequence[str]) -> None:
    """Put `medicines` in place of a site's list."""
    connection.execute(delete(stock).where(stock.c.site == site))
    rows = [{"site": site, "place": place, "medicine": one} for place, one in enumerate(medicines)]
    if rows:
        connection.execute(insert(stock), rows)


def all_stock(connection: Connection) -> dict[str, list[str]]:
    """Return the medicines of every site that has a list, by its code."""
    found: dict[str, list[str]] = {}
    for row in connection.execute(select(stock).order_by(stock.c.site, stock.c.place)):
        found.setdefault(row.site, []).append(row.medicine)
    return found


def stock_of(connection: Connection, site: str) -> list[str]:
    """Return a site's medicines in the order of its list."""
    query = select(stock.c.medicine).where(stock.c.site == site).order_by(stock.c.place)
    return [row.medicine for row in connection.execute(query)]
