"""ID tokens of OpenID Connect: signed by the provider, for this relay, for this try, just now; or refused.

The signature is joserfc's to check; what a token must say is OpenID Connect Core 1.0, section 3.1.3.7.
"""

import base64
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey, import_key
from joserfc.jws import JWSRegistry

from chevet.relay.errors import RelayError

ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)
"""Signatures by a private key alone: no "none", and no secret that two sides share."""
LEEWAY_S: Final = 60
"""Clocks may differ by so much."""
OLDEST_S: Final = 600
"""A token was made for this try, minutes ago at most."""
MAX_TOKEN: Final = 32 * 1024
MAX_SUBJECT: Final = 255
"""Characters (OpenID Connect Core 1.0, section 2)."""


class ProviderError(RelayError):
    """The identity provider did not vouch for anybody.

    Attributes:
        code: word that the sign-in page translates, such as "oidc_state".
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say: who made it, for whom, for which try, and now in Unix s."""

    issuer: str
    client_id: str
    nonce: str
    now_s: float


def keys_of(document: Mapping[str, Any]) -> KeySet:
    """Return the keys of a JWKS that can check signatures; what is unknown or damaged is left out."""
    listed = document.get("keys")
    return KeySet(list(_usable(listed if isinstance(listed, list) else [])))


def key_named(token: str) -> str | None:
    """Return which key a token says it was signed by, None where it says none; nothing of it is believed."""
    head = token.partition(".")[0][:MAX_TOKEN]
    try:
        said = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError):
        return None
    name = said.get("kid") if isinstance(said, dict) else None
    return name if isinstance(name, str) else None


def read_id_token(token: str, keys: KeySet, expected: Expected) -> dict[str, Any]:
    """Return the claims of a token.

    Args:
        token: as the provider's token endpoint gave it.
        keys: the provider's own.
        expected: what it must say.

    Raises:
        ProviderError: `oidc_token`; the sentence says what is wrong, and no value of the token.
    """
    if len(token) > MAX_TOKEN:
        raise _wrong("is too long")
    try:
        registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        claims = jwt.decode(token, keys, algorithms=ALGORITHMS, registry=registry).claims
    except (JoseError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise _wrong("is not signed by one of the provider's keys") from None
    for problem in _problems(claims, expected):
        raise _wrong(problem)
    return claims


def _problems(claims: Mapping[str, Any], expected: Expected) -> Iterable[str]:
    audience = claims.get("aud")
    heard = audience if isinstance(audience, list) else [audience]
    party = claims.get("azp", expected.client_id if len(heard) == 1 else None)
    subject, nonce = claims.get("sub"), claims.get("nonce")
    ends, made = claims.get("exp"), claims.get("iat")
    if claims.get("iss") != expected.issuer:
        yield "was made by another issuer"
    if expected.client_id not in heard or party != expected.client_id:
        yield "was made for another client"
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        yield "was made for another try to sign in"
    if not _is_time(ends) or ends <= expected.now_s - LEEWAY_S:
        yield "is over: check the clocks of this machine and of the provider"
    if not _is_time(made) or not -OLDEST_S - LEEWAY_S <= made - expected.now_s <= LEEWAY_S:
        yield "was not made now: check the clocks of this machine and of the provider"
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT:
        yield "names nobody"


def _is_time(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _usable(listed: Iterable[Any]) -> Iterable[Key]:
    for one in listed:
        if not isinstance(one, dict) or one.get("use", "sig") != "sig":
            continue
        try:
            key = import_key({name: value for name, value in one.items() if isinstance(value, str)})
        except (JoseError, ValueError, TypeError, LookupError):
            continue
        if isinstance(key, RSAKey | ECKey | OKPKey):
            yield key


def _wrong(what: str) -> ProviderError:
    return ProviderError("oidc_token", f"The identity provider's token {what}.")
