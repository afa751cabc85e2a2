"""What a bundle from a site means once it can be read: a study opens a case, a message joins one.

Simulated studies (HTEST, on the manifest, the study or a recording) become cases too, marked so that they
never show in a clinical inbox.
"""

from collections.abc import Callable

from sqlalchemy import Connection, insert, select, update

from chevet.exchange.errors import Refused
from chevet.exchange.manifest import read_manifest
from chevet.relay.archive.audit import Audit
from chevet.relay.archive.changes import tell
from chevet.relay.archive.schema import Found, answers, bundles, cases, objects
from chevet.relay.archive.terms import Terms, count, rank_of
from chevet.relay.archive.vault import Vault
from chevet.relay.errors import ArchiveError
from chevet.study.bundle import Bundle, Part, content_hash, unpack
from chevet.study.case import FACES, unpack_message
from chevet.study.errors import BundleError
from chevet.study.spoken import unpack_voice
from chevet.study.study import HTEST, Study
from chevet.study.summary import read_summary

CONTRADICTION = "contradiction"


class Admission:
    """Takes readable bundles into the archive's cases; always inside the caller's write transaction."""

    def __init__(
        self,
        vault: Vault,
        audit: Audit,
        now_ms: Callable[[], int],
        *,
        sealed: bool = False,
        terms: Terms | None = None,
    ) -> None:
        """Stand on the archive; `sealed` takes studies that only specialists can open."""
        self._sealed = sealed
        self._terms = terms or Terms()
        self._vault = vault
        self._audit = audit
        self._now_ms = now_ms

    def arrived(self, connection: Connection, row: Found, part: Part | None) -> None:
        """Use one object as soon as it is whole: the summary shows the case before anything else is here."""
        if part is None and self._only_for_specialists(row):
            self._open_sealed(connection, row)
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
        content = self._content(connection, row, names)
        now = self._now_ms()
        connection.execute(
            update(bundles).where(bundles.c.tid == row.tid).values(complete_ms=now, content_sha256=content)
        )
        self._audit.add(connection, now, f"site:{row.site}", f"{row.kind}.received", row.id)
        tell(connection, row.case_id, now)

    def refused(self, connection: Connection, row: Found, reason: str) -> None:
        """Note in the audit that a bundle was refused for good."""
        now = self._now_ms()
        self._audit.add(connection, now, f"site:{row.site}", f"{row.kind}.refused", row.id, reason)
        tell(connection, row.case_id, now)

    def _content(self, connection: Connection, row: Found, names: dict[int, str]) -> str | None:
        """Take what it holds in; return the content's hash, None where it stays sealed to us.

        Every object's own hash was found to be what the site signed: that is all a sealed study needs.
        """
        if self._only_for_specialists(row):
            self._open_sealed(connection, row)
            return None
        try:
            bundle = self._vault.bundle(row.manifest, names)
            self._take(connection, row, bundle)
        except BundleError as error:
            raise Refused(error.reason) from None
        except ArchiveError:
            raise Refused("incomplete") from None
        return content_hash(bundle)

    def _only_for_specialists(self, row: Found) -> bool:
        return self._sealed and row.kind == "study" and not self._vault.opens(read_manifest(row.manifest))

    def _open_sealed(self, connection: Connection, row: Found) -> None:
        """Make a case of what the manifest says in clear, once the summary is here."""
        here = select(objects.c.name).where(objects.c.tid == row.tid, objects.c.oid == 0)
        if connection.execute(here).scalar() is None:
            return
        if row.id != row.case_id:
            raise Refused(CONTRADICTION)
        urgent = read_manifest(row.manifest).priority == 0
        self._insert_case(connection, row, row.label == HTEST, "urgent" if urgent else "routine", "")
        tell(connection, row.case_id, self._now_ms())

    def _take(self, connection: Connection, row: Found, bundle: Bundle) -> None:
        if row.kind == "study":
            self._open_case(connection, row, unpack(bundle))
        elif row.kind == "message":
            self._take_message(connection, row, bundle)
        elif row.kind == "voice":
            self._take_voice(connection, row, bundle)
        else:
            raise Refused("unexpected_kind")

    def _open_case(self, connection: Connection, row: Found, study: Study) -> None:
        if (study.id, study.id, study.site) != (row.id, row.case_id, row.site):
            raise Refused(CONTRADICTION)
        simulated = is_simulated(row.label, study)
        if self._insert_case(connection, row, simulated, study.urgency, study.specialty):
            count(connection, study)

    def _insert_case(
        self, connection: Connection, row: Found, simulated: bool, urgency: str, specialty: str
    ) -> bool:
        """Open the case of a study; False where it was open."""
        known = connection.execute(select(cases.c.tid).where(cases.c.id == row.id)).first()
        if known is not None:
            if known.tid != row.tid:
                raise Refused(CONTRADICTION)
            return False
        now, rank = self._now_ms(), rank_of(urgency)
        connection.execute(
            insert(cases).values(
                id=row.id,
                site=row.site,
                tid=row.tid,
                simulated=simulated,
                urgency=urgency,
                specialty=specialty,
                received_ms=now,
                rank=rank,
                due_ms=self._terms.due_ms(rank, now),
            )
        )
        self._audit.add(connection, now, f"site:{row.site}", "case.open", row.id)
        return True

    def _take_message(self, connection: Connection, row: Found, bundle: Bundle) -> None:
        message = unpack_message(bundle)
        owner = connection.execute(select(cases.c.site).where(cases.c.id == message.case)).scalar()
        if owner not in (None, row.site) or message.id != row.id:
            raise Refused(CONTRADICTION)
        awake: dict[str, object] = {"snoozed_until_ms": None, "snoozed_why": ""}  # there is something to read
        if message.kind == "feedback":
            awake = {"feedback": message.text} if message.text in FACES else {}
        if awake:
            connection.execute(update(cases).where(cases.c.id == message.case).values(**awake))
        self._keep(connection, row, message.case, message.author.id)

    def _take_voice(self, connection: Connection, row: Found, bundle: Bundle) -> None:
        """Keep the sound; whose it is say the words that name it."""
        unpack_voice(bundle)
        owner = connection.execute(select(cases.c.site).where(cases.c.id == bundle.case)).scalar()
        if owner not in (None, row.site):
            raise Refused(CONTRADICTION)
        self._keep(connection, row, bundle.case, f"site:{row.site}")

    def _keep(self, connection: Connection, row: Found, case_id: str, author: str) -> None:
        connection.execute(
            insert(answers).values(
                id=row.id,
                tid=row.tid,
                case_id=case_id,
                kind=row.kind,
                version=1,
                author=author,
                at_ms=self._now_ms(),
            )
        )


def is_simulated(label: str, study: Study) -> bool:
    """Say whether anything about a study is simulated or for training."""
    return HTEST in (label, study.label) or any(recording.simulated for recording in study.recordings)
