"""What authenticators say, checked by py_webauthn against one challenge and one address of the desk."""

import hmac
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import bytes_to_base64url, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    RegistrationCredential,
)

from chevet.relay.accounts.place import Place

MALFORMED = (
    WebAuthnException,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,  # lists in lists in lists
    UnsupportedAlgorithm,
)
"""What py_webauthn and what it decodes with raise for bytes that are no answer of an authenticator."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a browser gives back of a new passkey, raw."""

    credential: bytes
    client_data: bytes
    attestation: bytes
    transports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """What a browser gives back of a passkey that was used, raw; `handle` is the account's, b"" without."""

    credential: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes
    handle: bytes = b""


@dataclass(frozen=True, slots=True)
class NewKey:
    """What is kept of a new passkey: its COSE public key, and how often it was used."""

    public_key: bytes
    counter: int


def asked(place: Place, client_data: bytes, challenge: bytes | None) -> str:
    """Say what of the browser's own words does not fit: "answer", "challenge" or "origin", "" for nothing."""
    try:
        said = parse_client_data_json(client_data)
    except MALFORMED:
        return "answer"
    if challenge is None or not hmac.compare_digest(said.challenge, challenge):
        return "challenge"
    return "" if said.origin == place.origin and not said.cross_origin else "origin"


def new_key(place: Place, made: Made, challenge: bytes) -> NewKey | None:
    """Return the key of a new passkey whose owner was verified, or None where the answer does not hold."""
    answer = RegistrationCredential(
        bytes_to_base64url(made.credential),
        made.credential,
        AuthenticatorAttestationResponse(made.client_data, made.attestation),
    )
    try:
        found = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            require_user_verification=True,
        )
    except MALFORMED:
        return None
    good = found.credential_id == made.credential
    return NewKey(found.credential_public_key, found.sign_count) if good else None


def counted(place: Place, given: Given, challenge: bytes, public_key: bytes) -> int | None:
    """Return the counter of an answer that is signed by a verified owner, else None."""
    answer = AuthenticationCredential(
        bytes_to_base64url(given.credential),
        given.credential,
        AuthenticatorAssertionResponse(given.client_data, given.authenticator_data, given.signature),
    )
    try:
        found = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,  # compared by the caller, which tells a copy from garbage
            require_user_verification=True,
        )
    except MALFORMED:
        return None
    return found.new_sign_count
