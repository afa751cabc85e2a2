"""A push service of this machine, and a browser that opens what it took; written from RFC 8291 and 8292."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _mac(key: bytes, data: bytes) -> bytes:
    found = hmac.HMAC(key, hashes.SHA256())
    found.update(data)
    return found.finalize()


@dataclass
class BrowserEnd:
    """A browser's key and secret; `open` undoes RFC 8291 step by step as its section 3.4 writes it."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = b"sixteen bytes ok"

    @property
    def point(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def subscription(self, endpoint: str) -> dict[str, object]:
        return {"endpoint": endpoint, "keys": {"p256dh": text(self.point), "auth": text(self.auth)}}

    def open(self, body: bytes) -> bytes:
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        theirs, sealed = body[21 : 21 + length], body[21 + length :]
        assert len(sealed) <= size
        secret = self.key.exchange(
            ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
        )
        ikm = _mac(_mac(self.auth, secret), b"WebPush: info\0" + self.point + theirs + b"\1")
        prk = _mac(salt, ikm)
        key = _mac(prk, b"Content-Encoding: aes128gcm\0\1")[:16]
        nonce = _mac(prk, b"Content-Encoding: nonce\0\1")[:12]
        gcm = Cipher(algorithms.AES128(key), modes.GCM(nonce, sealed[-16:])).decryptor()
        plain = gcm.update(sealed[:-16]) + gcm.finalize()
        words, mark, padding = plain.rpartition(b"\2")
        assert mark, "a last record ends with 2 and zeros"
        assert not padding.strip(b"\0"), "a last record ends with 2 and zeros"
        return words


def claims_of(authorization: str, audience: str, now_s: int) -> tuple[dict[str, object], bytes]:
    """Return the claims of a token whose signature holds, and the sender's point (RFC 8292, section 4.2)."""
    scheme, _, rest = authorization.partition(" ")
    assert scheme == "vapid"
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    head, said, signature = parts["t"].split(".")
    assert json.loads(raw(head)) == {"typ": "JWT", "alg": "ES256"}
    point, both = raw(parts["k"]), raw(signature)
    der = encode_dss_signature(int.from_bytes(both[:32], "big"), int.from_bytes(both[32:], "big"))
    sender = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    sender.verify(der, f"{head}.{said}".encode(), ec.ECDSA(hashes.SHA256()))
    claims = json.loads(raw(said))
    assert claims["aud"] == audience
    assert now_s < claims["exp"] <= now_s + 24 * 3600
    return claims, point


@dataclass
class Service:
    """What a push service was asked; `answers` gives the status of a path, 201 where it says nothing."""

    origin: str
    answers: dict[str, int] = field(default_factory=dict)
    taken: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def push_service() -> Iterator[Service]:
    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = service.answers.get(self.path, 201)
            if status == 201:
                service.taken.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(status)
            if status in (301, 307):
                self.send_header("Location", f"{service.origin}/elsewhere")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Take)
    service = Service(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
