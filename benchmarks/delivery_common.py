"""What both sides of the delivery benchmark agree on: the task, the keys, the certificates."""

import datetime
import ipaddress
import json
import ssl
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.x509.oid import NameOID

SITE = "abc"
SITE_KEY = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
RELAY_KEY = Ed25519PrivateKey.from_private_bytes(b"r" * 32)
PROGRAMME = X25519PrivateKey.from_private_bytes(b"p" * 32)
CHUNK = 4096
ADDRESS = "CHEVET_LINK_HOST"


@dataclass(frozen=True)
class Task:
    """One run.

    Attributes:
        system: "chevet", "paho" or "tus".
        studies: for each study its parts as (layer, bytes).
        urgent_every: seconds between urgent messages of 200 bytes, 0 for none.
        urgents: how many of them.
        wait_s: seconds of quiet on the open connection before the studies are there.
        keep_s: stay so long after the start even when all is delivered (to see cuts through).
        port: of the broker or server.
        folder: certificates, and where the near side writes what it saw.
        cut_at: the link is cut so long after the near side's first connection.
        cut_s: for so long; 0 for not at all.
    """

    system: str
    studies: list[list[tuple[int, int]]]
    urgent_every: float
    urgents: int
    wait_s: float
    keep_s: float
    port: int
    folder: str
    tls: bool
    cut_at: float = 0.0
    cut_s: float = 0.0

    def write(self) -> Path:
        path = Path(self.folder) / "task.json"
        path.write_text(json.dumps(asdict(self)))
        return path

    @property
    def payload(self) -> int:
        return sum(size for study in self.studies for _, size in study)


def read_task(path: str) -> Task:
    return Task(**json.loads(Path(path).read_text()))


def near_tls(folder: str) -> ssl.SSLContext:
    """Return the near side's context: TLS 1.3, its own certificate, our authority alone."""
    context = ssl.create_default_context(cafile=f"{folder}/ca.crt")
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(f"{folder}/near.crt", f"{folder}/near.key")
    return context


def far_tls(folder: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(f"{folder}/far.crt", f"{folder}/far.key")
    context.load_verify_locations(f"{folder}/ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def make_certificates(folder: Path, address: str) -> None:
    """Write an authority and two P-256 certificates, as the programme's own would be."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("authority", ca_key, None, ca_key, address)
    (folder / "ca.crt").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    for name, common in (("near", SITE), ("far", "broker")):
        key = ec.generate_private_key(ec.SECP256R1())
        own = _certificate(common, key, ca, ca_key, address)
        (folder / f"{name}.crt").write_bytes(own.public_bytes(serialization.Encoding.PEM))
        (folder / f"{name}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate | None,
    ca_key: ec.EllipticCurvePrivateKey,
    address: str,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(ca.subject if ca else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=7))
        .add_extension(x509.BasicConstraints(ca=ca is None, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=ca is None,
                crl_sign=ca is None,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False
        )
    )
    return builder.sign(ca_key, hashes.SHA256())
