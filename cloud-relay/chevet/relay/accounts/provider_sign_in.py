"""Signing in by an identity provider: which account here a person there is, and what they still lack.

The first sign-in finds the account by the claim that a setting names, and remembers who that is there: issuer
and subject. From then on that person alone is that account, whatever names they take on over there. Roles are
this relay's own; a provider gives one only to an account that it makes, where the settings say which.
"""

import base64
import hmac
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from chevet.relay.accounts.brake import Try, count_try, right
from chevet.relay.accounts.challenges import ask, of_try, take
from chevet.relay.accounts.id_token import ProviderError
from chevet.relay.accounts.provider import Provider, word
from chevet.relay.accounts.rules import MINUTE_MS
from chevet.relay.accounts.sign_in import Signed, SignIn
from chevet.relay.accounts.users import User, Users, from_row
from chevet.relay.archive.audit import Audit
from chevet.relay.archive.database import Database
from chevet.relay.archive.schema import users
from chevet.relay.archive.schema_sign_in import provider_links
from chevet.relay.errors import SettingsError

log = logging.getLogger(__name__)
PURPOSE = "provider"
TRY_BYTES = 32
AWAY_MS = 10 * MINUTE_MS
"""How long somebody may take to sign in at the provider."""
WHO = "provider"
"""Who the audit names for what is done on the provider's word."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """How people of the provider become accounts here.

    Attributes:
        claim: names the account's id.
        trusts_factor: whether the provider's second factor may do for signing in; signing asks for our own.
        amr: ways of signing in there that count as second factor.
        acr: classes of it that do.
        role_claim: lists a person's groups there.
        roles: role of a new account by group.
        makes: whether accounts are made.
        languages: of a new account.
    """

    claim: str
    trusts_factor: bool = False
    amr: tuple[str, ...] = ()
    acr: tuple[str, ...] = ()
    role_claim: str = ""
    roles: Mapping[str, str] | None = None
    makes: bool = False
    languages: tuple[str, ...] = ("fr",)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the browser brought back in its address, "" for what it did not."""

    code: str = ""
    state: str = ""
    error: str = ""
    issuer: str = ""


class ProviderSignIn:
    """Signs people in by one provider."""

    def __init__(
        self,
        database: Database,
        audit: Audit,
        now_ms: Callable[[], int],
        sign_in: SignIn,
        accounts: Users,
        provider: Provider,
        mapped: Mapped,
    ) -> None:
        self._database = database
        self._audit = audit
        self._now_ms = now_ms
        self._sign_in = sign_in
        self._accounts = accounts
        self.provider = provider
        self._mapped = mapped

    def begin(self, address: str = "") -> tuple[str, str]:
        """Begin a try: its token for a cookie, and where the browser goes.

        Raises:
            ProviderError: `oidc_unreachable`.
            RefusedError: 429 `too_many_attempts`.
        """
        self._sign_in.begun.count(address, self._now_ms())
        token = secrets.token_urlsafe(TRY_BYTES)
        with self._database.write() as connection:
            value = ask(connection, of_try(token, PURPOSE), self._now_ms(), AWAY_MS)
        return token, self.provider.address(_state(token), _text(value), _verifier(token))

    def finish(self, token: str, answer: Answer, *, address: str = "", browser: str = "") -> Signed:
        """Open a session, whole or half, for whom the provider vouches.

        Args:
            token: of the try's cookie.
            answer: what came back.
            address: where the caller is.
            browser: a coarse name.

        Raises:
            ProviderError: nobody is signed in; its code says why.
            RefusedError: 429 `too_many_attempts`.
        """
        tried, nonce = self._taken(token, address)
        try:
            claims = self._claims(token, answer, nonce)
            user = self._account(claims)
        except ProviderError as error:
            log.warning("sign-in by the identity provider: %s", error)
            with self._database.write() as connection:
                self._audit.add(
                    connection, self._now_ms(), "unknown", "session.wrong_provider", "", error.code
                )
            raise
        with self._database.write() as connection:
            right(connection, tried)
            return self._sign_in.admit(
                connection, user, browser, WHO, verified=self._twice(claims), factor=False
            )

    def _taken(self, token: str, address: str) -> tuple[Try, bytes | None]:
        with self._database.write() as connection:
            now, holder = self._now_ms(), of_try(token, PURPOSE)
            tried = count_try(connection, PURPOSE, holder, address, now)
        with self._database.write() as connection:
            return tried, take(connection, holder, now) if token else None

    def _claims(self, token: str, answer: Answer, nonce: bytes | None) -> dict[str, Any]:
        ours = hmac.compare_digest(answer.state.encode(), _state(token).encode())
        if nonce is None or not ours:
            raise ProviderError("oidc_state", "The answer is to no try of this browser, or too late.")
        named = answer.issuer or ("" if self.provider.names_itself() else None)
        if named not in (None, self.provider.registration.issuer):
            raise ProviderError("oidc_token", "The answer names another issuer.")
        if answer.error or not answer.code:
            denied = answer.error == "access_denied"
            log.info("the identity provider answered %s", word(answer.error) or "without a code")
            raise ProviderError(
                "oidc_denied" if denied else "oidc_refused", "The identity provider signed nobody in."
            )
        return self.provider.claims(answer.code, _text(nonce), _verifier(token))

    def _account(self, claims: Mapping[str, Any]) -> User:
        """Return the account of a person, linked at their first sign-in."""
        issuer, subject = self.provider.registration.issuer, str(claims["sub"])
        with self._database.read() as connection:
            known = _linked(connection, issuer, subject)
        ident = known or self._named(claims)
        with self._database.read() as connection:
            row = connection.execute(select(users).where(users.c.id == ident)).first()
        if row is None and known is None:
            self._make(ident, claims)
        with self._database.write() as connection:
            row = connection.execute(select(users).where(users.c.id == ident)).first()
            if row is None or row.disabled_ms is not None:
                raise _nobody()
            if known is None:
                self._link(connection, issuer, subject, ident)
            return from_row(row)

    def _named(self, claims: Mapping[str, Any]) -> str:
        said = claims.get(self._mapped.claim)
        if not isinstance(said, str) or not said:
            raise ProviderError("oidc_claim", f"The token has no claim {self._mapped.claim}: see oidc_claim.")
        if self._mapped.claim == "email" and claims.get("email_verified") is not True:
            raise ProviderError("oidc_claim", "The provider has not verified the e-mail address.")
        return said

    def _link(self, connection: Connection, issuer: str, subject: str, ident: str) -> None:
        mine = (provider_links.c.issuer == issuer) & (provider_links.c.user_id == ident)
        if connection.execute(select(provider_links.c.subject).where(mine)).first() is not None:
            raise ProviderError(
                "oidc_other",
                f"Somebody else there is the account {ident} already: where both are one person, "
                f"run `chevet-relay user forget-provider {ident}`.",
            )
        now = self._now_ms()
        row = {"issuer": issuer, "subject": subject, "user_id": ident, "linked_ms": now}
        connection.execute(insert(provider_links).values(**row))
        self._audit.add(connection, now, ident, "provider.link")

    def _make(self, ident: str, claims: Mapping[str, Any]) -> None:
        """Make an account with the role of the first group that has one; its password is known to nobody."""
        role = self._role(claims) if self._mapped.makes else None
        if role is None:
            raise _nobody()
        name = claims.get("name")
        shown = name[:200] if isinstance(name, str) and name.strip() else ident
        user = User(ident, shown, role, "", self._mapped.languages, b"")
        try:
            self._accounts.add(user, secrets.token_urlsafe(TRY_BYTES), by=WHO)
        except SettingsError as error:
            raise ProviderError("oidc_claim", f"No account can be made for this person: {error}") from None

    def _role(self, claims: Mapping[str, Any]) -> str | None:
        said = claims.get(self._mapped.role_claim)
        groups = said if isinstance(said, list) else [said]
        mapped = self._mapped.roles or {}
        return next((role for group, role in mapped.items() if group in groups), None)

    def _twice(self, claims: Mapping[str, Any]) -> bool:
        """Say whether the provider's own second factor does, by the settings."""
        ways = claims.get("amr")
        listed = ways if isinstance(ways, list) else []
        return self._mapped.trusts_factor and (
            any(way in self._mapped.amr for way in listed) or claims.get("acr") in self._mapped.acr
        )


def _linked(connection: Connection, issuer: str, subject: str) -> str | None:
    who = (provider_links.c.issuer == issuer) & (provider_links.c.subject == subject)
    row = connection.execute(select(provider_links.c.user_id).where(who)).first()
    return row.user_id if row is not None else None


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _state(token: str) -> str:
    return _text(hmac.digest(token.encode(), b"chevet oidc state 1", "sha256"))


def _verifier(token: str) -> str:
    return _text(hmac.digest(token.encode(), b"chevet oidc verifier 1", "sha256"))


def _nobody() -> ProviderError:
    return ProviderError("oidc_nobody", "Nobody here is who the provider vouches for: add them first.")
