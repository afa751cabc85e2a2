"""When an answer is due, and what of a study is counted: said once, when its case opens."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from chevet.relay.archive.schema import cases
from chevet.relay.archive.schema_duty import recording_facts
from chevet.study.study import URGENCIES, Study

MINUTE_MS = 60_000
RANKS = {urgency: rank for rank, urgency in enumerate(reversed(URGENCIES))}
"""Emergency 0, urgent 1, routine 2: the order of the inbox."""
LEAST = len(RANKS) - 1
SPOKEN = 8
NAMED = 64
"""Characters kept of a language, and of a name of a worker or driver: the columns hold no more."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Minutes until an answer is due, by rank."""

    minutes: tuple[int, ...] = (30, 120, 1440)

    def due_ms(self, rank: int, received_ms: int) -> int:
        """Return when the answer to a case of this rank should be there, Unix ms."""
        return received_ms + self.minutes[rank] * MINUTE_MS


def rank_of(urgency: str) -> int:
    """Return an urgency's place in the inbox; one that is unknown waits with routine."""
    return RANKS.get(urgency, LEAST)


def count(connection: Connection, study: Study) -> None:
    """Keep what the programme's report counts of a study whose case has just opened."""
    named = {"language": study.language[:SPOKEN], "worker": study.worker[:NAMED]}
    connection.execute(update(cases).where(cases.c.id == study.id).values(**named))
    rows = [
        {
            "case_id": study.id,
            "place": place,
            "step": one.step[:32],
            "driver": one.driver[:NAMED],
            "score": one.quality.score,
            "usable": one.quality.usable,
        }
        for place, one in enumerate(study.recordings)
    ]
    if rows:
        connection.execute(insert(recording_facts), rows)


def uncounted(connection: Connection, most: int) -> Sequence[str]:
    """Return cases of before this was counted: no case that could be opened is without a worker."""
    counted = select(recording_facts.c.case_id)
    query = select(cases.c.id).where(cases.c.worker == "", cases.c.id.not_in(counted)).limit(most)
    return connection.execute(query).scalars().all()
