"""The programme's certificate authority: who is who at the broker.

`ca.pem` (key and certificate, for this user alone) lies with the other keys; `ca.crt` is its public half and
`crl.pem` the list of certificates that are valid no longer. Boxes get a year and renew by themselves; the
broker's and the relay's own certificates are made here and renewed by the commands that use them.
"""

import contextlib
import hashlib
import ipaddress
import os
import ssl
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from chevet.exchange.tls import (
    RELAY_LIVE_NAME,
    RELAY_NAME,
    client_context,
    due,
    key_and_certificate,
    new_tls_key,
)
from chevet.relay.errors import RefusedError, SettingsError
from chevet.relay.keys import read_private, sync_folder, write_private
from chevet.relay.settings import Settings

CA_FILE, CA_PUBLIC, CRL_FILE = "ca.pem", "ca.crt", "crl.pem"
RELAY_FILE, BROKER_FILE = "relay-tls.pem", "broker-tls.pem"
RELAY_LIVE_FILE = "relay-live-tls.pem"
BOX_LIFE: Final = timedelta(days=365)
CA_LIFE: Final = timedelta(days=30 * 365)
CRL_LIFE: Final = timedelta(days=10 * 365)
"""The list is read from the disk beside it: an old one is no danger, one run out would shut every box out."""
BACKDATED: Final = timedelta(days=1)
"""A box whose clock is some hours behind can use its certificate at once."""


@dataclass(frozen=True, slots=True)
class Authority:
    """The key that certifies, its own certificate, and the folder both live in."""

    folder: Path
    key: EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        """Return the public certificate in PEM."""
        return _pem(self.certificate)

    def certify_box(self, csr: str, site: str, now: datetime) -> x509.Certificate:
        """Return a client certificate for the key of a request; its name is the site's, whatever was asked.

        Raises:
            RefusedError: the request is none, its signature is wrong, or its key is not P-256.
        """
        try:
            request = x509.load_pem_x509_csr(csr.encode())
            key = request.public_key()
            good = request.is_signature_valid
        except ValueError:
            good, key = False, None
        if not good or not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
            raise RefusedError(422, "bad_request_for_certificate", "The box must ask with a P-256 key.")
        return self._issue(key, site, now, ExtendedKeyUsageOID.CLIENT_AUTH)

    def keep_relay(self, now: datetime, *, live: bool = False) -> Path:
        """Return the key and certificate of the relay's line, or of its `live` one; renewed where due."""
        path = self.folder / (RELAY_LIVE_FILE if live else RELAY_FILE)
        if not _fresh(path, now, ()):
            name = RELAY_LIVE_NAME if live else RELAY_NAME
            self._own(path, now, name, ExtendedKeyUsageOID.CLIENT_AUTH, ())
        return path

    def keep_broker(self, hosts: Sequence[str], now: datetime) -> Path:
        """Return the broker's key and certificate for these hosts, made or renewed where that is due."""
        path = self.folder / BROKER_FILE
        if not _fresh(path, now, hosts):
            self._own(path, now, hosts[0], ExtendedKeyUsageOID.SERVER_AUTH, hosts)
        return path

    def revoke(self, serials: Iterable[int], now: datetime) -> Path:
        """Write the list of certificates that are valid no longer; return its path."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(now - BACKDATED)
            .next_update(now + CRL_LIFE)
        )
        for serial in serials:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now)
            builder = builder.add_revoked_certificate(entry.build())
        listed = builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)
        path = self.folder / CRL_FILE
        if not path.exists() or _serials(path.read_bytes()) != _serials(listed):
            replace_file(path, listed, 0o644)
        return path

    def _own(
        self, path: Path, now: datetime, name: str, usage: x509.ObjectIdentifier, hosts: Sequence[str]
    ) -> None:
        key = new_tls_key()
        certificate = self._issue(key.public_key(), name, now, usage, hosts)
        replace_file(path, key_and_certificate(key, _pem(certificate)), 0o600)

    def _issue(
        self,
        key: EllipticCurvePublicKey,
        name: str,
        now: datetime,
        usage: x509.ObjectIdentifier,
        hosts: Sequence[str] = (),
    ) -> x509.Certificate:
        builder = _builder(_name(name), self.certificate.subject, key, now, BOX_LIFE)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        builder = builder.add_extension(_key_usage(signs=False), critical=True)
        parent = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(parent, critical=False)
        if hosts:
            named = x509.SubjectAlternativeName([_general(host) for host in hosts])
            builder = builder.add_extension(named, critical=False)
        return builder.sign(self.key, hashes.SHA256())


def open_authority(folder: Path, programme: str, now: datetime) -> Authority:
    """Return the authority of a folder of keys, made where there is none yet.

    Raises:
        SettingsError: its file is damaged or readable by others, or the folder cannot be written.
    """
    path = folder / CA_FILE
    try:
        if not path.exists():
            _found(path, programme, now)
        data = read_private(path)
        key = load_pem_private_key(data, None)
        certificate = x509.load_pem_x509_certificate(data)
        if not isinstance(key, EllipticCurvePrivateKey):
            raise ValueError("no P-256 key")
        authority = Authority(folder, key, certificate)
        if not (folder / CA_PUBLIC).exists():
            replace_file(folder / CA_PUBLIC, authority.pem.encode(), 0o644)
    except ValueError:
        raise SettingsError(
            str(path), f"{path} is damaged: restore the folder of keys from its backup."
        ) from None
    except OSError as error:
        raise SettingsError(str(path), f"Cannot use {path}: {error.strerror}.") from None
    return authority


def tls_to_broker(settings: Settings, *, live: bool = False) -> Callable[[], ssl.SSLContext]:
    """Return what makes the relay's TLS context for each connection, with a certificate that is fresh."""

    def context() -> ssl.SSLContext:
        now = datetime.now(UTC)
        try:
            authority = open_authority(settings.keys, "Chevet", now)
            return client_context(settings.keys / CA_PUBLIC, authority.keep_relay(now, live=live))
        except SettingsError as error:
            raise OSError(str(error)) from None  # the line tries again, as after any failed connection

    return context


def name_at_broker(settings: Settings, worker: str) -> str:
    """Return the MQTT name of a worker: stable, and by TLS one that no box can guess.

    Where a broker lets anybody choose a name (RabbitMQ before 4), a known one could be used to end our
    connection. The gate and mosquitto name boxes by their certificates and do not need this.

    Raises:
        SettingsError: the authority's key cannot be used.
    """
    name = f"chevet-{worker}"
    if not settings.broker_tls:
        return name
    open_authority(settings.keys, "Chevet", datetime.now(UTC))
    secret = read_private(settings.keys / CA_FILE)
    mark = hashlib.sha256(b"chevet name at broker 1\0" + name.encode() + secret).hexdigest()[:12]
    return f"{name}-{mark}"


def replace_file(path: Path, data: bytes, mode: int) -> None:
    """Replace a file durably in one step: whoever reads it has the old one or the new one, whole."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    write_private(fresh, data)
    fresh.chmod(mode)
    fresh.replace(path)
    sync_folder(path.parent)


def moment(now_ms: int) -> datetime:
    """Return Unix ms as a time, to the second: certificates know no less."""
    return datetime.fromtimestamp(now_ms // 1000, UTC)


def _found(path: Path, programme: str, now: datetime) -> None:
    key = new_tls_key()
    name = _name(f"{programme[:50]} CA")  # X.520 allows a common name 64 characters
    builder = _builder(name, name, key.public_key(), now, CA_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(signs=True), critical=True)
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = builder.add_extension(own, critical=False).sign(key, hashes.SHA256())
    with contextlib.suppress(FileExistsError):  # another process was first: its authority is the one
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        write_private(fresh, key_and_certificate(key, _pem(certificate)))
        try:
            os.link(fresh, path)
        finally:
            fresh.unlink()


def _builder(
    name: x509.Name, issuer: x509.Name, key: EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + life)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _key_usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _fresh(path: Path, now: datetime, hosts: Sequence[str]) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        names = {_general(host) for host in hosts}
        if names:
            found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            names -= set(found.value)
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    return not names and not due(certificate, now)


def _serials(crl: bytes) -> frozenset[int]:
    try:
        return frozenset(entry.serial_number for entry in x509.load_pem_x509_crl(crl))
    except ValueError:
        return frozenset({-1})


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
