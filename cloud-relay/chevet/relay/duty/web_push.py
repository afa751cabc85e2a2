"""Alerts to browsers: encrypted for one browser (RFC 8291), vouched for by the relay's key (RFC 8292).

A push service of the browser's maker carries what it cannot read. The words are padded to one length, so that
not even their number tells cases apart.
"""

import base64
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from chevet.relay.duty.post import NotSent
from chevet.relay.errors import SettingsError
from chevet.relay.keys import read_private, write_private
from chevet.relay.settings import Settings
from chevet.relay.settings_values import HERE

TIMEOUT_S: Final = 10.0
POINT: Final = 65
"""Bytes of an uncompressed point of P-256."""
AUTH: Final = 16
"""Bytes of a browser's secret (RFC 8291, section 3.2)."""
SALT: Final = 16
RECORD: Final = 4096
"""The record size of our header, and the most a service must take (RFC 8291, section 4; RFC 8030, 7.2)."""
PLAIN: Final = 1024
"""Bytes every alert is padded to."""
LAST: Final = b"\x02"
"""Ends the last record's content, before its padding (RFC 8188, section 2)."""
TOKEN_S: Final = 12 * 3600
"""Life of a token; a day is the most (RFC 8292, section 2)."""
KEPT_S: Final = 4 * 3600
"""How long a service keeps an alert for a browser that is off; then the ladder has gone on for long."""
URGENCY: Final = ("high", "high", "normal")
GONE: Final = frozenset({404, 410})
"""The subscription is over (RFC 8030, section 7.3)."""
KEY_FILE: Final = "push.key"


class Gone(Exception):  # noqa: N818 - an outcome
    """The browser no longer takes alerts: forget it."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a browser gave: where it is reached, its P-256 point (65 bytes) and its secret (16 bytes)."""

    endpoint: str
    point: bytes
    auth: bytes


@dataclass(frozen=True, slots=True)
class Push:
    """The way to browsers.

    Attributes:
        key: the relay's own, by which services know who sends.
        contact: "mailto:" or "https:" address that a service's operator may write to.
        hosts: the services that may be called, as patterns of host names.
    """

    key: ec.EllipticCurvePrivateKey
    contact: str
    hosts: tuple[str, ...]
    random: Callable[[int], bytes] = os.urandom

    @property
    def public(self) -> str:
        """Return the relay's public point, base64url, as a browser asks for it."""
        return text(point_of(self.key))

    def takes(self, endpoint: str) -> bool:
        """Tell whether an endpoint is of a service that may be called: a browser names it, not we."""
        try:
            where = urlsplit(endpoint)
        except ValueError:
            return False
        host = where.hostname or ""
        road = where.scheme == "https" or (where.scheme == "http" and host in HERE)
        return road and "@" not in where.netloc and any(fnmatchcase(host, one) for one in self.hosts)

    def send(self, to: Subscription, words: bytes, rank: int, now_s: int) -> None:
        """Send one alert; the service has taken it when this returns.

        Raises:
            Gone: the browser no longer takes any.
            NotSent: it did not leave, in a coded word.
        """
        if not self.takes(to.endpoint):
            raise Gone
        headers = {
            "Authorization": vapid(self.key, to.endpoint, self.contact, now_s),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(KEPT_S),
            "Urgency": URGENCY[rank],
            "User-Agent": "chevet-relay",
        }
        body = sealed(words, to, ec.generate_private_key(ec.SECP256R1()), self.random(SALT))
        try:
            answer = httpx.post(to.endpoint, content=body, headers=headers, timeout=TIMEOUT_S)
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            raise NotSent("unreachable") from None
        if answer.status_code in GONE:
            raise Gone
        if not answer.is_success:  # nor is a redirect followed: it could lead anywhere
            raise NotSent(f"status_{answer.status_code}")


def sealed(
    words: bytes, to: Subscription, once: ec.EllipticCurvePrivateKey, salt: bytes, length: int = PLAIN
) -> bytes:
    """Return an alert as one encrypted record (RFC 8291, section 3.4).

    Args:
        words: less than `length` bytes.
        to: the browser.
        once: a key pair of this message alone.
        salt: 16 random bytes.
        length: bytes that are encrypted; the words are padded to it.

    Raises:
        ValueError: the words are too long, or the browser's point is none.
    """
    if len(words) >= length:
        raise ValueError("an alert is longer than all are padded to")
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), to.point)
    ours = point_of(once)
    shared = once.exchange(ec.ECDH(), theirs)
    ikm = _derive(shared, to.auth, b"WebPush: info\0" + to.point + ours, 32)
    key = _derive(ikm, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(ikm, salt, b"Content-Encoding: nonce\0", 12)
    plain = (words + LAST).ljust(length, b"\0")
    head = salt + RECORD.to_bytes(4, "big") + bytes([len(ours)]) + ours
    return head + AESGCM(key).encrypt(nonce, plain, None)


def vapid(key: ec.EllipticCurvePrivateKey, endpoint: str, contact: str, now_s: int) -> str:
    """Return the header by which a push service knows who sends (RFC 8292, section 3)."""
    where = urlsplit(endpoint)
    claims = {"aud": f"{where.scheme}://{where.netloc}", "exp": now_s + TOKEN_S, "sub": contact}
    parts = [
        text(json.dumps(one, separators=(",", ":")).encode())
        for one in ({"typ": "JWT", "alg": "ES256"}, claims)
    ]
    signed = ".".join(parts).encode()
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")  # as JWS has it (RFC 7518, section 3.4)
    return f"vapid t={signed.decode()}.{text(raw)}, k={text(point_of(key))}"


def push_of(settings: Settings) -> Push | None:
    """Return the way to browsers that the settings name, its key made where there is none yet; or None.

    Raises:
        SettingsError: the key cannot be made or read.
    """
    if not settings.push_contact:
        return None
    return Push(_key(settings.keys / KEY_FILE), settings.push_contact, settings.push_hosts)


def point_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a key's public point, uncompressed, 65 bytes."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def text(data: bytes) -> str:
    """Return bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _derive(secret: bytes, salt: bytes, purpose: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, purpose).derive(secret)


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    if not path.exists():
        fresh = ec.generate_private_key(ec.SECP256R1())
        try:
            write_private(path, fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        except FileExistsError:
            pass  # another worker was faster: its key is everybody's
        except OSError as error:
            raise SettingsError(
                str(path), f"Cannot make {path} ({error.strerror}): check the owner of its folder."
            ) from None
    try:
        found = load_pem_private_key(read_private(path), None)
    except ValueError:
        found = None
    if not isinstance(found, ec.EllipticCurvePrivateKey) or found.curve.name != "secp256r1":
        raise SettingsError(
            str(path),
            f"{path} is no key for push: restore it, or remove it, and every browser is asked again.",
        )
    return found
