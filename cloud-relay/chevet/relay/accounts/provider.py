"""The road to an identity provider (OpenID Connect): its own description, its keys, a code for a token.

Authorisation code with PKCE (RFC 7636) and nonce. Whatever it answers is bounded in time and size, one that
does not answer is left alone for a moment, and redirections are not followed: nobody but the issuer says
where its endpoints are.
"""

import base64
import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
from joserfc.jwk import KeySet

from chevet.relay.accounts.id_token import Expected, ProviderError, key_named, keys_of, read_id_token
from chevet.relay.accounts.rules import MINUTE_MS
from chevet.relay.settings_values import HERE

log = logging.getLogger(__name__)
TIMEOUT_S = 10.0
MAX_ANSWER = 256 * 1024
REST_MS = 5000
"""So long after no answer nobody waits for it again: people who try one by one would fill every thread."""
DESCRIPTION = "/.well-known/openid-configuration"
FRESH_MS = 60 * MINUTE_MS
"""So long a description and keys are used before they are read again."""
KEYS_AGAIN_MS = MINUTE_MS // 2
"""Keys that a token names and we do not know are looked for at most this often."""
MAX_CODE = 4096


@dataclass(frozen=True, slots=True)
class Registration:
    """What the provider and this relay have agreed; `secret` is None for a public client."""

    issuer: str
    client_id: str
    secret: str | None
    back: str


@dataclass(slots=True)
class _Read:
    """What was read of a provider, and when, Unix ms."""

    description: dict[str, Any] = field(default_factory=dict)
    description_ms: int = 0
    keys: KeySet | None = None
    keys_ms: int = 0
    rests_until_ms: int = 0


class Provider:
    """One identity provider."""

    def __init__(
        self, registration: Registration, now_ms: Callable[[], int], *, timeout_s: float = TIMEOUT_S
    ) -> None:
        """Keep what was agreed; nothing is asked before somebody signs in.

        Args:
            registration: issuer, client and address to come back to.
            now_ms: Unix ms.
            timeout_s: how long each of its answers may take.
        """
        self.registration = registration
        self._now_ms = now_ms
        self._client = httpx.Client(timeout=timeout_s, follow_redirects=False)
        self._most_ms = 2 * timeout_s * 1000  # httpx bounds each read, and this the whole answer
        self._read = _Read()
        self._turn = Lock()

    def address(self, state: str, nonce: str, verifier: str) -> str:
        """Return where the browser goes to sign in there.

        Raises:
            ProviderError: `oidc_unreachable`.
        """
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "scope": "openid profile email",
            "client_id": self.registration.client_id,
            "redirect_uri": self.registration.back,
            "state": state,
            "nonce": nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        where = self._endpoint("authorization_endpoint")
        return f"{where}{'&' if urlsplit(where).query else '?'}{urlencode(asked)}"

    def names_itself(self) -> bool:
        """Say whether the provider's answers name their issuer (RFC 9207), so that one without is refused."""
        return self._description().get("authorization_response_iss_parameter_supported") is True

    def claims(self, code: str, nonce: str, verifier: str) -> dict[str, Any]:
        """Give the code of an answer for a token, and return what that says.

        Raises:
            ProviderError: `oidc_unreachable`, `oidc_refused`, `oidc_token`.
        """
        token = self._exchange(code, verifier).get("id_token")
        if not isinstance(token, str):
            raise ProviderError("oidc_token", "The identity provider gave no ID token: see its client.")
        keys = self._keys()
        if key_named(token) not in {key.kid for key in keys} | {None}:
            keys = self._keys(again=True)
        expected = Expected(
            self.registration.issuer, self.registration.client_id, nonce, self._now_ms() / 1000
        )
        return read_id_token(token, keys, expected)

    def check(self) -> str:
        """Read the provider's description and keys; return its address for the operator.

        Raises:
            ProviderError: `oidc_unreachable`.
        """
        where = self._endpoint("token_endpoint")
        if not self._keys():
            raise _unreachable("has no keys that sign")
        return where

    def close(self) -> None:
        """End the connections."""
        self._client.close()

    def _exchange(self, code: str, verifier: str) -> dict[str, Any]:
        one, form = self.registration, {"grant_type": "authorization_code", "code": code[:MAX_CODE]}
        form |= {"redirect_uri": one.back, "code_verifier": verifier, "client_id": one.client_id}
        head: dict[str, str] = {}
        if one.secret is not None:
            offered = self._description().get("token_endpoint_auth_methods_supported")
            if isinstance(offered, list) and "client_secret_basic" not in offered:
                form["client_secret"] = one.secret
            else:  # RFC 6749 section 2.3.1: both halves are form-encoded first
                pair = f"{quote(one.client_id, safe='')}:{quote(one.secret, safe='')}"
                head["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        status, answer = self._call("POST", self._endpoint("token_endpoint"), form, head)
        if status != httpx.codes.OK:
            log.warning("identity provider: token endpoint: %d %s", status, word(answer.get("error")))
            raise ProviderError("oidc_refused", "The identity provider took the sign-in back: try again.")
        return answer

    def _endpoint(self, name: str) -> str:
        where = self._description().get(name)
        if not isinstance(where, str) or not _safe(where):
            raise _unreachable(f"names no {name} that is reached by https")
        return where

    def _description(self) -> dict[str, Any]:
        with self._turn:
            now, read = self._now_ms(), self._read
            if not read.description or now - read.description_ms >= FRESH_MS:
                found = self._document(self.registration.issuer.rstrip("/") + DESCRIPTION)
                if found.get("issuer") != self.registration.issuer:
                    raise _unreachable("names itself otherwise than the setting oidc_issuer")
                read.description, read.description_ms = found, now
            return read.description

    def _keys(self, *, again: bool = False) -> KeySet:
        where = self._endpoint("jwks_uri")
        with self._turn:
            now, read = self._now_ms(), self._read
            due = KEYS_AGAIN_MS if again else FRESH_MS
            if read.keys is None or now - read.keys_ms >= due:
                read.keys, read.keys_ms = keys_of(self._document(where)), now
            return read.keys

    def _document(self, where: str) -> dict[str, Any]:
        status, found = self._call("GET", where)
        if status != httpx.codes.OK:
            raise _unreachable(f"answered {status}")
        return found

    def _call(
        self,
        method: str,
        where: str,
        form: Mapping[str, str] | None = None,
        head: Mapping[str, str] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """Return status and JSON object of an answer; what is no object is an empty one."""
        began = self._now_ms()
        if began < self._read.rests_until_ms:
            raise _unreachable("gave no answer a moment ago")
        headers = {"accept": "application/json"} | dict(head or {})
        body = bytearray()
        try:
            with self._client.stream(method, where, data=form, headers=headers) as answer:
                for piece in answer.iter_bytes():
                    body += piece
                    if len(body) > MAX_ANSWER:
                        raise _unreachable("answers with too much")
                    if self._now_ms() - began > self._most_ms:
                        raise httpx.ReadTimeout("a piece now and then")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self._read.rests_until_ms = self._now_ms() + REST_MS
            raise _unreachable(f"does not answer ({type(error).__name__})") from None
        try:
            found = json.loads(bytes(body))
        except (ValueError, RecursionError):
            found = None
        return answer.status_code, found if isinstance(found, dict) else {}


def word(said: object) -> str:
    """Return a coded word of the provider as a log may show it: nothing else that it sends is shown."""
    good = isinstance(said, str) and len(said) <= 40 and said.replace("_", "").isalpha() and said.isascii()
    return str(said) if good else ""


def _safe(where: str) -> bool:
    parts = urlsplit(where)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in HERE)


def _unreachable(what: str) -> ProviderError:
    return ProviderError("oidc_unreachable", f"The identity provider {what}.")
