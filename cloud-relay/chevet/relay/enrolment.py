"""Where boxes come in: a one-time code is exchanged for a certificate, and certificates for newer ones."""

import base64
import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from chevet.exchange.enrolment import (
    Ask,
    Broker,
    Envelope,
    Grant,
    ProgrammeFile,
    RosterKey,
    ask_digest,
    proves,
    read_ask,
    write_grant,
)
from chevet.exchange.errors import BadKey, Refused
from chevet.exchange.keys import public_text, sealing_public, signing_public
from chevet.relay.archive.certificates import Certificates
from chevet.relay.archive.invites import Invites
from chevet.relay.archive.roster import Roster
from chevet.relay.archive.sites import Site, Sites
from chevet.relay.authority import Authority, moment
from chevet.relay.errors import RefusedError, SettingsError
from chevet.relay.keys import ProgrammeKeys, SiteFile
from chevet.relay.settings import Settings

MOST_A_DAY: Final = 10
"""Certificates one site gets in 24 hours; it needs one in eight months."""
_DAY_MS: Final = 24 * 3_600_000
MOST_REFUSED: Final = 60
WITHIN_S: Final = 60.0
"""So many refused asks a minute are answered; then a pause for everybody."""

Mode = Literal["processing", "sealed"]

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Door:
    """Counts those who were turned away, lest anybody tries without end."""

    monotonic: Callable[[], float]
    _refused: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_REFUSED))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def pass_or_wait(self) -> None:
        """Let one ask in.

        Raises:
            RefusedError: `too_many`.
        """
        with self._lock:
            full = len(self._refused) == MOST_REFUSED
            if full and self.monotonic() - self._refused[0] < WITHIN_S:
                raise RefusedError(429, "too_many", "Too many wrong codes came: try again in a minute.")

    def refused(self) -> None:
        """Note one that was turned away."""
        with self._lock:
            self._refused.append(self.monotonic())


class Enrolment:
    """Answers what boxes ask."""

    def __init__(
        self,
        settings: Settings,
        keys: ProgrammeKeys,
        authority: Authority,
        sites: Sites,
        invites: Invites,
        certificates: Certificates,
        roster: Roster,
        now_ms: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._authority = authority
        self._sites = sites
        self._invites = invites
        self._certificates = certificates
        self._roster = roster
        self._now_ms = now_ms

    def answer(self, data: bytes) -> bytes:
        """Return the signed grant for a box's ask.

        Raises:
            RefusedError: the ask is malformed, the code is not good, or the site may not.
        """
        try:
            ask, envelope = read_ask(data)
            sealing_public(ask.seal_key)
            site = self._by_code(ask, envelope) if ask.invite else self._by_signature(ask)
        except (Refused, BadKey):
            raise RefusedError(
                422, "malformed", "This is no request of a box: update chevet-edge there."
            ) from None
        return write_grant(self._grant(ask, data, site), self._keys.relay)

    def _by_code(self, ask: Ask, envelope: Envelope) -> Site:
        invite = self._invites.find(ask.invite)
        if not proves(envelope, invite.proof_key):
            self._invites.failed(ask.invite)
            raise RefusedError(403, "not_proved", "The code does not fit the request: type it again.")
        self._invites.use(invite, signing_public(ask.verify_key).public_bytes_raw())
        file = SiteFile(
            v=1,
            site=invite.site,
            name=invite.name,
            phone=invite.phone,
            verify_key=ask.verify_key,
            seal_key=ask.seal_key,
        )
        try:
            site = self._sites.add(file)
        except SettingsError as error:
            raise RefusedError(409, "site_taken", str(error)) from None
        log.info("%s: enrolled", site.code)
        return site

    def _by_signature(self, ask: Ask) -> Site:
        site = self._sites.get(ask.site)
        verify_key, seal_key = signing_public(ask.verify_key), sealing_public(ask.seal_key)
        known = site and (site.verify_key, site.seal_key)
        if site is None or known != (verify_key.public_bytes_raw(), seal_key.public_bytes_raw()):
            raise RefusedError(403, "site_unknown", "No site has these keys here: enrol with a new code.")
        if site.revoked:
            raise RefusedError(403, "site_revoked", f"The site '{site.code}' was revoked: ask the operator.")
        return site

    def _grant(self, ask: Ask, data: bytes, site: Site) -> Grant:
        now = self._now_ms()
        settings = self._settings
        return Grant(
            ask=ask_digest(data),
            site=site.code,
            name=site.name,
            phone=site.phone,
            programme=programme_words(self._keys, self._settings.sealing, self._roster),
            authority=self._authority.pem,
            certificate=self._certify(ask.csr, site.code, now) if ask.csr else "",
            broker=Broker(
                host=settings.public_broker_host or settings.broker_host,
                port=settings.public_broker_port or settings.broker_port,
                tls=settings.broker_tls,
            ),
            now_ms=now,
        )

    def _certify(self, csr: str, site: str, now: int) -> str:
        if self._certificates.issued_since(site, now - _DAY_MS) >= MOST_A_DAY:
            raise RefusedError(429, "too_many", f"'{site}' got {MOST_A_DAY} certificates today: wait a day.")
        certificate = self._authority.certify_box(csr, site, moment(now))
        self._certificates.add(site, certificate)
        return self._certificates.pem(certificate)


def programme_words(keys: ProgrammeKeys, mode: Mode, roster: Roster) -> ProgrammeFile:
    """Return what programme.json says now; in sealed mode the relay's own key is not in it."""
    words = ProgrammeFile(
        v=1,
        programme=keys.name,
        relay_key=public_text(keys.relay.public_key()),
        recipients=keys.recipients,
    )
    if mode == "processing":
        return words
    current, version = roster.current()
    specialists = [
        RosterKey(id=one.user, specialty=one.specialty, seal_key=base64.b64encode(one.seal_key).decode())
        for one in current
    ]
    return words.model_copy(
        update={
            "recipients": {"recovery": keys.recovery},
            "mode": mode,
            "roster": version,
            "specialists": specialists,
        }
    )
