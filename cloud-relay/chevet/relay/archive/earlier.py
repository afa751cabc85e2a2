"""Earlier visits of the same patient, to be read beside the present one.

Who a patient is stays sealed, so that no column of the archive tells that two cases belong to one person.
Summaries of the same site's cases are therefore opened and compared, the newest first and a bounded number.
"""

from chevet.relay.accounts.users import User
from chevet.relay.archive.cases import Case, Cases
from chevet.relay.archive.database import Database

LOOKED_AT = 400
"""Cases of one site that are opened to find earlier visits: some years of a small health centre."""
SHOWN = 12


def earlier_cases(database: Database, cases: Cases, case_id: str, user: User) -> list[Case]:
    """Return earlier visits of the patient of `case_id` at the same site, the newest first.

    Raises:
        RefusedError: 404 `not_found`.
    """
    with database.read() as connection:
        here = cases.get(connection, case_id)
        others = cases.of_site(connection, here.site, here.study.closed.wall_ms, LOOKED_AT)
    same = [one for one in others if one.id != here.id and one.study.patient.id == here.study.patient.id]
    cases.note(user, "case.earlier", case_id, f"{len(same[:SHOWN])} visits")
    return sorted(same, key=lambda one: one.study.closed.wall_ms, reverse=True)[:SHOWN]
