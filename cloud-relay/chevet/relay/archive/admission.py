"""What a bundle from a site means once it can be read: a study opens a case, a message joins one.

Simulated studies (HTEST, on the manifest, the study or a recording) become cases too, marked so that they
never show in a clinical inbox.
"""

from collections.abc import Callable

from sqlalchemy import Connection, insert, select, update

from chevet.exchange.errors import Refused
from chevet.relay.archive.audit import Audit
from chevet.relay.archive.changes import tell
from chevet.relay.archive.schema import Found, answers, bundles, cases
from chevet.relay.archive.vault import Vault
from chevet.relay.errors import ArchiveError
from chevet.study.bundle import Bundle, Part, content_hash, unpack
from chevet.study.case import unpack_message
from chevet.study.errors import BundleError
from chevet.study.study import HTEST, Study
from chevet.study.summary import read_summary

CONTRADICTION = "contradiction"


class Admission:
    """Takes readable bundles into the archive's cases; always inside the caller's write transaction."""

    def __init__(self, vault: Vault, audit: Audit, now_ms: Callable[[], int]) -> None:
        self._vault = vault
        self._audit = audit
        self._now_ms = now_ms

    def arrived(self, connection: Connection, row: Found, part: Part | None) -> None:
        """Use one object as soon as it is whole: the summary shows the case before anything else is here."""
        if part is None or row.kind != "study":
            return
        if part.kind == "summary":
            try:
                self._open_case(connection, row, read_summary(part.data))
            except (BundleError, Refused):
                return  # refused, with its reason, once everything is here
        tell(connection, row.case_id, self._now_ms())

    def admit(self, connection: Connection, row: Found, names: dict[int, str]) -> None:
        """Complete a bundle whose objects are all here.

        Raises:
            Refused: it cannot be opened, is damaged inside, or contradicts what is known.
        """
        try:
            bundle = self._vault.bundle(row.manifest, names)
            self._take(connection, row, bundle)
        except BundleError as error:
            raise Refused(error.reason) from None
        except ArchiveError:
            raise Refused("incomplete") from None
        now = self._now_ms()
        connection.execute(
            update(bundles)
            .where(bundles.c.tid == row.tid)
            .values(complete_ms=now, content_sha256=content_hash(bundle))
        )
        self._audit.add(connection, now, f"site:{row.site}", f"{row.kind}.received", row.id)
        tell(connection, row.case_id, now)

    def refused(self, connection: Connection, row: Found, reason: str) -> None:
        """Note in the audit that a bundle was refused for good."""
        now = self._now_ms()
        self._audit.add(connection, now, f"site:{row.site}", f"{row.kind}.refused", row.id, reason)
        tell(connection, row.case_id, now)

    def _take(self, connection: Connection, row: Found, bundle: Bundle) -> None:
        if row.kind == "study":
            self._open_case(connection, row, unpack(bundle))
        elif row.kind == "message":
            self._take_message(connection, row, bundle)
        else:
            raise Refused("unexpected_kind")

    def _open_case(self, connection: Connection, row: Found, study: Study) -> None:
        if (study.id, study.id, study.site) != (row.id, row.case_id, row.site):
            raise Refused(CONTRADICTION)
        known = connection.execute(select(cases.c.tid).where(cases.c.id == study.id)).first()
        if known is not None:
            if known.tid != row.tid:
                raise Refused(CONTRADICTION)
            return
        now = self._now_ms()
        connection.execute(
            insert(cases).values(
                id=study.id,
                site=row.site,
                tid=row.tid,
                simulated=is_simulated(row.label, study),
                urgency=study.urgency,
                specialty=study.specialty,
                received_ms=now,
            )
        )
        self._audit.add(connection, now, f"site:{row.site}", "case.open", study.id)

    def _take_message(self, connection: Connection, row: Found, bundle: Bundle) -> None:
        message = unpack_message(bundle)
        owner = connection.execute(select(cases.c.site).where(cases.c.id == message.case)).scalar()
        if owner not in (None, row.site) or message.id != row.id:
            raise Refused(CONTRADICTION)
        connection.execute(
            insert(answers).values(
                id=message.id,
                tid=row.tid,
                case_id=message.case,
                kind="message",
                version=1,
                author=message.author.id,
                at_ms=self._now_ms(),
            )
        )


def is_simulated(label: str, study: Study) -> bool:
    """Say whether anything about a study is simulated or for training."""
    return HTEST in (label, study.label) or any(recording.simulated for recording in study.recordings)
