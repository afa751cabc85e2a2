"""Cases whose destruction has begun: nothing of theirs is taken in, and nothing of theirs is missed."""

from typing import Final

from sqlalchemy import Select, select

from chevet.relay.archive.schema import bundles, erasures, objects

ERASED: Final = "erased"
"""Why a transfer of such a case is refused."""


def begun() -> Select[str]:
    """Select the ids of cases whose destruction has begun, or is done."""
    return select(erasures.c.case_id).where(
        erasures.c.begun_ms.is_not(None) | erasures.c.destroyed_ms.is_not(None)
    )


def held() -> Select[str]:
    """Select the names of objects that must be in the store: those that a case holds which stays."""
    return (
        select(objects.c.name)
        .join(bundles, bundles.c.tid == objects.c.tid)
        .where(objects.c.name.is_not(None), bundles.c.case_id.not_in(begun()))
        .distinct()
        .order_by(objects.c.name)
    )
