"""Everything one relay process shares between its ingest, its API and its commands."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from chevet.exchange.keys import kid
from chevet.relay.accounts.factors import Factors
from chevet.relay.accounts.own_password import OwnPassword
from chevet.relay.accounts.passkey_sign_in import PasskeySignIn
from chevet.relay.accounts.passkeys import Passkeys
from chevet.relay.accounts.passwords import Cost, Passwords
from chevet.relay.accounts.place import place_of
from chevet.relay.accounts.proof import Proofs
from chevet.relay.accounts.provider import Provider, Registration
from chevet.relay.accounts.provider_sign_in import Mapped, ProviderSignIn
from chevet.relay.accounts.rules import MINUTE_MS, Rules
from chevet.relay.accounts.sign_in import SignIn
from chevet.relay.accounts.users import Users
from chevet.relay.archive.admission import Admission
from chevet.relay.archive.allocation import Allocation
from chevet.relay.archive.answers import Answers
from chevet.relay.archive.audit import Audit
from chevet.relay.archive.cases import Cases
from chevet.relay.archive.certificates import Certificates
from chevet.relay.archive.database import Database
from chevet.relay.archive.discussions import Discussions
from chevet.relay.archive.inbox import ArchiveInbox
from chevet.relay.archive.invites import Invites
from chevet.relay.archive.lease import Lease
from chevet.relay.archive.lessons import Lessons
from chevet.relay.archive.objects import Objects
from chevet.relay.archive.outbox import ArchiveOutbox
from chevet.relay.archive.roster import Roster
from chevet.relay.archive.sealed import SealedCases
from chevet.relay.archive.sites import Sites
from chevet.relay.archive.terms import Terms
from chevet.relay.archive.vault import Vault
from chevet.relay.authority import Authority, moment, open_authority
from chevet.relay.enrolment import Door, Enrolment
from chevet.relay.keys import ProgrammeKeys, read_programme
from chevet.relay.meters import Meters
from chevet.relay.settings import Settings
from chevet.relay.stores import open_objects
from chevet.study.study import HTEST

DATABASE_FILE = "relay.sqlite3"


@dataclass(slots=True)
class BrokerSeen:
    """Whether the line to the broker is up, as the ingest last saw it."""

    online: bool = False


@dataclass(frozen=True, slots=True)
class Relay:
    """The parts of one relay, opened on one archive."""

    settings: Settings
    keys: ProgrammeKeys
    now_ms: Callable[[], int]
    database: Database
    objects: Objects
    audit: Audit
    users: Users
    sign_in: SignIn
    own_password: OwnPassword
    passkeys: PasskeySignIn
    provider: ProviderSignIn | None
    sites: Sites
    invites: Invites
    certificates: Certificates
    vault: Vault
    cases: Cases
    answers: Answers
    inbox: ArchiveInbox
    roster: Roster
    sealed: SealedCases
    allocation: Allocation
    discussions: Discussions
    lessons: Lessons
    door: Door = field(default_factory=lambda: Door(time.monotonic))
    broker_seen: BrokerSeen = field(default_factory=BrokerSeen)
    meters: Meters = field(default_factory=Meters)

    def refresh_keys(self) -> bool:
        """Take up the programme's keys where `key rotate` has changed them; tell whether it had.

        Raises:
            SettingsError: a key is missing or exposed; those held stay in use.
        """
        fresh = read_programme(self.settings.keys)
        held = self.keys
        if name_of(fresh) == name_of(held):
            return False
        held.programme, held.older = fresh.programme, fresh.older
        self.vault.hold(held.programme, *held.older)
        return True

    def authority(self) -> Authority:
        """Return the programme's certificate authority, made where an older programme has none.

        Raises:
            SettingsError: its file is damaged or exposed.
        """
        return open_authority(self.settings.keys, self.keys.name, moment(self.now_ms()))

    def enrolment(self) -> Enrolment:
        """Return what answers boxes that want to come in."""
        return Enrolment(
            self.settings,
            self.keys,
            self.authority(),
            self.sites,
            self.invites,
            self.certificates,
            self.roster,
            self.now_ms,
        )

    def write_revoked(self) -> Path:
        """Bring the list of revoked certificates up to date; return its path."""
        return self.authority().revoke(self.certificates.revoked(), moment(self.now_ms()))

    def outbox(self, site: str) -> ArchiveOutbox:
        """Return what waits for one site."""
        return ArchiveOutbox(self.database, self.objects, site, self.now_ms)

    def lease(self, holder: str) -> Lease:
        """Return the hold of one process, called `holder`, on what only one may do."""
        return Lease(self.database, holder, self.now_ms)

    def close(self) -> None:
        """Close the archive."""
        if self.provider is not None:
            self.provider.provider.close()
        self.database.close()


def name_of(keys: ProgrammeKeys) -> bytes:
    """Return the short name of the key that studies are sealed to."""
    return kid(keys.programme.public_key())


def rules_of(settings: Settings) -> Rules:
    """Return what a programme's settings ask of who signs in."""
    return Rules(
        second_factor=settings.second_factor == "required",
        grace_ms=settings.second_factor_grace_minutes * MINUTE_MS,
        idle_ms=settings.session_idle_minutes * MINUTE_MS,
        longest_ms=settings.session_hours * 60 * MINUTE_MS,
    )


def provider_of(settings: Settings, now_ms: Callable[[], int]) -> Provider | None:
    """Return the identity provider that `settings` name, if any; nothing is asked of it yet.

    Raises:
        SettingsError: the client's secret cannot be read.
    """
    if not settings.oidc_issuer:
        return None
    back = f"{settings.desk_url.rstrip('/')}/api/oidc/callback"
    secret = settings.secret("oidc_client_secret_file")
    return Provider(Registration(settings.oidc_issuer, settings.oidc_client_id, secret, back), now_ms)


def mapped_of(settings: Settings) -> Mapped:
    """Return how people of the provider become accounts."""
    return Mapped(
        claim=settings.oidc_claim,
        trusts_factor=settings.oidc_second_factor == "provider",
        amr=settings.oidc_amr,
        acr=settings.oidc_acr,
        role_claim=settings.oidc_role_claim,
        roles=settings.oidc_roles,
        makes=settings.oidc_new_accounts,
        languages=settings.languages,
    )


def unix_ms() -> int:
    """Return the wall clock in Unix ms."""
    return time.time_ns() // 1_000_000


def open_database(settings: Settings) -> Database:
    """Return the database that `settings` name, not yet migrated.

    Raises:
        RelayError: it cannot be opened.
    """
    if settings.database:
        return Database(settings.database, settings.secret("database_password_file"))
    return Database(settings.archive / DATABASE_FILE)


def open_relay(settings: Settings, *, now_ms: Callable[[], int] = unix_ms, cost: Cost | None = None) -> Relay:
    """Open the archive that `settings` name and bring it to this version.

    Raises:
        SettingsError: a key is missing or exposed.
        ArchiveError: the archive cannot be used.
    """
    keys = read_programme(settings.keys)
    database = open_database(settings)
    database.migrate()
    objects, audit, passwords = open_objects(settings), Audit(keys.audit), Passwords(cost)
    accounts, sign_in, passkeys, provider = _doors(settings, keys, database, audit, passwords, now_ms)
    shown = settings.label == HTEST
    vault = Vault(objects, keys.programme, *keys.older)
    cases = Cases(database, audit, vault, keys.relay, now_ms, shows_simulated=shown)
    return Relay(
        settings=settings,
        keys=keys,
        now_ms=now_ms,
        database=database,
        objects=objects,
        audit=audit,
        users=accounts,
        sign_in=sign_in,
        own_password=OwnPassword(database, audit, passwords, now_ms, sign_in),
        passkeys=passkeys,
        provider=provider,
        sites=Sites(database, audit, now_ms),
        invites=Invites(database, audit, now_ms),
        certificates=Certificates(database, now_ms),
        vault=vault,
        cases=cases,
        answers=Answers(database, objects, vault, audit, cases, keys, now_ms),
        inbox=ArchiveInbox(database, objects, vault, _admission(settings, vault, audit, now_ms), now_ms),
        roster=Roster(database, audit, keys.relay, now_ms),
        sealed=SealedCases(database, objects, audit, keys.relay, now_ms, shows_simulated=shown),
        allocation=Allocation(database, audit, cases, now_ms),
        discussions=Discussions(database, audit, vault, now_ms, shows_simulated=shown),
        lessons=Lessons(database, audit, vault, cases, now_ms),
    )


def _doors(
    settings: Settings,
    keys: ProgrammeKeys,
    database: Database,
    audit: Audit,
    passwords: Passwords,
    now_ms: Callable[[], int],
) -> tuple[Users, SignIn, PasskeySignIn, ProviderSignIn | None]:
    """Return the accounts and the ways to sign in to them; None for a provider that is not set."""
    factors = Factors(keys.audit, keys.name)
    passkeys = Passkeys(keys.audit, keys.name, place_of(settings.desk_url, settings.port))
    proofs = Proofs(database, audit, now_ms, factors, passkeys)
    sign_in = SignIn(database, audit, passwords, now_ms, factors, proofs, rules_of(settings))
    accounts = Users(database, audit, passwords, now_ms, factors)
    asked = provider_of(settings, now_ms)
    provider = (
        ProviderSignIn(database, audit, now_ms, sign_in, accounts, asked, mapped_of(settings))
        if asked
        else None
    )
    return accounts, sign_in, PasskeySignIn(database, audit, now_ms, passkeys, sign_in), provider


def _admission(settings: Settings, vault: Vault, audit: Audit, now_ms: Callable[[], int]) -> Admission:
    terms = Terms(settings.answer_due_minutes)
    return Admission(vault, audit, now_ms, sealed=settings.sealing == "sealed", terms=terms)
