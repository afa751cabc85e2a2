"""Enrolment: a box comes into a programme by one code, and renews what it got by its own signature.

Run twice it does no harm: the keys of the first time stay, the relay knows them, and every file is replaced
in one step.
"""

import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from chevet.edge.at_rest import DataKey
from chevet.edge.clock_floor import ClockFloor
from chevet.edge.enrolled import CA_FILE, TLS_FILE, Enrolled, read_enrolled, write_enrolled
from chevet.edge.errors import SettingsError
from chevet.edge.relay_call import ask_relay
from chevet.edge.trust import (
    Keys,
    keep_keys,
    keep_programme,
    keep_site,
    known_site,
    read_keys,
    replace_private,
)
from chevet.exchange.enrolment import Ask, Code, Grant, fingerprint, read_code, read_grant, write_ask
from chevet.exchange.errors import Refused
from chevet.exchange.keys import public_text, raw_public
from chevet.exchange.tls import key_and_certificate, new_tls_key, request

MISTYPED = (
    "The code is mistyped; it has nine groups of four characters, copy it again from the relay's operator"
    " (O is taken for 0, I and L for 1)."
)
NOT_THE_RELAY = (
    "What answers at {url} is not the relay that gave this code out: the address is wrong, or somebody stands"
    " between. Nothing was changed; ask the operator for address and code by another road."
)
NOT_GENUINE = (
    "The answer from {url} is not genuine or was damaged on the way ({reason}). Nothing was changed; run the"
    " same command again, and ask the operator if it stays so."
)


def split_code(url: str, code: str) -> tuple[str, Code]:
    """Return the address and the code, given apart or as `URL#CODE`, as the QR code holds them.

    Raises:
        SettingsError: the code is missing or mistyped.
    """
    if not code:
        url, _, code = url.partition("#")
    try:
        return url.strip().rstrip("/"), read_code(code)
    except Refused:
        raise SettingsError(MISTYPED) from None


def enrol(data_dir: Path, programme: Path, url: str, code: Code, key: DataKey | None = None) -> Grant:
    """Make what keys are missing, exchange the code for a certificate, and keep what came with it; blocks.

    Args:
        data_dir: the box's folder; made where it is missing.
        programme: where programme.json is kept.
        url: the relay.
        code: the operator's code.
        key: of the box's disk, where it is covered.

    Raises:
        SettingsError: the relay was not reached or refused, is not the code's, or the box belongs elsewhere.
    """

    def trusted(relay_key: Ed25519PublicKey) -> bool:
        return fingerprint(relay_key) == code.fingerprint

    return _exchange(data_dir, programme, url, keep_keys(data_dir, key), code, trusted, key)


def renew(
    data_dir: Path,
    programme: Path,
    relay_key: Ed25519PublicKey,
    *,
    with_certificate: bool = True,
    key: DataKey | None = None,
) -> Grant:
    """Ask the relay for the next certificate where one is wanted, and for what else has changed; blocks.

    Raises:
        SettingsError: as `enrol`, or this box was not enrolled.
    """
    enrolled = read_enrolled(data_dir)
    if enrolled is None:
        raise SettingsError("This box was not enrolled; run `chevet-edge enrol` with a code of the relay.")

    def trusted(shown: Ed25519PublicKey) -> bool:
        return raw_public(shown) == raw_public(relay_key)

    keys, certified = read_keys(data_dir, key), with_certificate
    return _exchange(data_dir, programme, enrolled.url, keys, None, trusted, key, certified=certified)


def _exchange(
    data_dir: Path,
    programme: Path,
    url: str,
    keys: Keys,
    code: Code | None,
    trusted: Callable[[Ed25519PublicKey], bool],
    key: DataKey | None,
    *,
    certified: bool = True,
) -> Grant:
    tls_key, site = new_tls_key(), known_site(data_dir)
    ask = Ask(
        invite=code.invite if code else "",
        site="" if code else site,
        verify_key=public_text(keys.signer.public_key()),
        seal_key=public_text(keys.opener.public_key()),
        csr=request(tls_key) if certified else "",
    )
    message = write_ask(ask, keys.signer, code)
    grant = _genuine(url, ask_relay(url, message), message, trusted)
    if site not in ("", grant.site):
        raise SettingsError(
            f"This box is site '{site}', and the code is for '{grant.site}'; ask the operator for a code made"
            f" with --code {site}, or choose another data_dir."
        )
    keep_programme(programme, grant.programme)
    replace_private(data_dir / CA_FILE, grant.authority.encode())
    if certified:
        password = key.password if key else None
        replace_private(data_dir / TLS_FILE, key_and_certificate(tls_key, grant.certificate, password))
    write_enrolled(data_dir, Enrolled(url=url, broker=grant.broker))
    keep_site(data_dir, keys, grant.site, grant.name, grant.phone)
    ClockFloor(data_dir, time.monotonic).told(grant.now_ms)
    return grant


def _genuine(url: str, answer: bytes, message: bytes, trusted: Callable[[Ed25519PublicKey], bool]) -> Grant:
    try:
        return read_grant(answer, message, trusted)
    except Refused as error:
        words = NOT_THE_RELAY if error.reason == "not_the_relay" else NOT_GENUINE
        raise SettingsError(words.format(url=url, reason=error.reason)) from None
