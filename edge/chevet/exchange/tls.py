"""Mutual TLS 1.3 between boxes, broker and relay: contexts, requests for certificates, and their dates.

OpenSSL compares a certificate's dates with the system's clock, which on a box without a battery-backed clock
may stand at 1970. So it is told not to, and the dates are compared here, with the clock the caller trusts.
"""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.x509.oid import NameOID

RELAY_NAME: Final = "chevet-relay"
RELAY_LIVE_NAME: Final = "chevet-relay-live"
"""The relay's second line, for live mode: at mosquitto a certificate's name is its only client's."""
RELAY_NAMES: Final = (RELAY_NAME, RELAY_LIVE_NAME)
"""CN of the relay at the broker; the hyphen keeps it apart from every site's code."""
RENEW_BELOW: Final = 1 / 3
"""Share of a certificate's life left when it is renewed: four months of a year, for a box long off line."""
_NO_CHECK_TIME: Final = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, openssl/x509_vfy.h


class WrongDate(ssl.SSLError):
    """The other end's certificate has expired, or is not yet valid by a clock that is known to be right."""


Dates = Callable[[datetime, datetime], bool]
"""Whether a certificate valid from the first moment to the second is to be taken now."""


def by_system_clock(begins: datetime, ends: datetime) -> bool:
    """Judge dates by this machine's clock, as servers may."""
    return begins <= datetime.now(UTC) <= ends


def client_context(
    authority: Path, own: Path, dates: Dates = by_system_clock, password: bytes | None = None
) -> ssl.SSLContext:
    """Return the context of a client that shows `own` (key and certificate in one PEM file).

    Args:
        authority: whose servers are believed.
        own: read with `password` where its key has one.
        dates: judges those of the server's certificate.
        password: of the private key; a missing or wrong one is an error, and is never asked for.

    Raises:
        OSError: a file is missing or no PEM (`ssl.SSLError` is one).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(authority)
    context.load_cert_chain(own, password=password or b"")
    context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    context.sslsocket_class = _dated(dates)
    return context


def server_context(authority: Path, own: Path) -> ssl.SSLContext:
    """Return the context of a server that asks every client for a certificate of the authority.

    Revoked ones it takes: who serves looks at the serial, so that a newer list needs no new context.

    Raises:
        OSError: a file is missing or no PEM.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority)
    context.load_cert_chain(own)
    context.num_tickets = 0  # a resumed session would outlive its certificate's revocation
    return context


def new_tls_key() -> EllipticCurvePrivateKey:
    """Return a fresh P-256 key: the one kind of key that every broker takes."""
    return generate_private_key(SECP256R1())


def request(key: EllipticCurvePrivateKey) -> str:
    """Return a PKCS #10 request for this key, in PEM; it names nobody, the authority decides that."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "box")])
    signed = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def key_and_certificate(
    key: EllipticCurvePrivateKey, certificate: str, password: bytes | None = None
) -> bytes:
    """Return both as one PEM file, so that they are replaced together; the key encrypted by a password."""
    guard: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        guard = serialization.BestAvailableEncryption(password)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, guard)
    return pem + certificate.encode()


def common_name(certificate: x509.Certificate) -> str:
    """Return the CN of a certificate, "" where it has none."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def due(certificate: x509.Certificate, now: datetime) -> bool:
    """Tell whether it is time to ask for the next one."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return ends - now < (ends - begins) * RENEW_BELOW


def _dated(dates: Dates) -> type[ssl.SSLSocket]:
    class DatedSocket(ssl.SSLSocket):
        """A socket whose handshake fails on dates that do not do; nothing of ours was sent by then."""

        def do_handshake(self, block: bool = False) -> None:
            """Shake hands, then look at the dates of the other end's certificate."""
            super().do_handshake(block)
            shown = self.getpeercert(binary_form=True)
            if shown is None:
                return
            certificate = x509.load_der_x509_certificate(shown)
            if not dates(certificate.not_valid_before_utc, certificate.not_valid_after_utc):
                raise WrongDate("the broker's certificate has expired or is not yet valid: see both clocks")

    return DatedSocket
