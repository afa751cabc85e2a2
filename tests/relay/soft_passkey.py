"""An authenticator in software: one P-256 passkey and the browser around it; both can be told to lie."""

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

HOME = "http://localhost:8422"
"""Where the desk is at home as long as no setting says otherwise."""
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def raw(said: str) -> bytes:
    return base64.urlsafe_b64decode(said + "=" * (-len(said) % 4))


@dataclass
class SoftPasskey:
    """One passkey; `counts` False is one that keeps no counter, as those do that travel between devices."""

    origin: str = HOME
    counts: bool = True
    verifies: bool = True
    counter: int = 0
    credential: bytes = field(default_factory=lambda: os.urandom(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    handle: bytes = b""
    rp: str = ""

    def make(self, options: dict, name: str = "Phone") -> dict:
        """What the desk sends after navigator.credentials.create."""
        self.handle, self.rp = raw(options["user"]["id"]), options["rp"]["id"]
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        held = bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + cbor2.dumps(cose)
        said = {"fmt": "none", "attStmt": {}, "authData": self._data(ATTESTED) + held}
        return {
            "name": name,
            "id": text(self.credential),
            "client_data": text(self._words("webauthn.create", options["challenge"])),
            "attestation": text(cbor2.dumps(said)),
            "transports": ["internal", "hybrid"],
        }

    def answer(self, options: dict, challenge: str | None = None) -> dict:
        """What the desk sends after navigator.credentials.get."""
        self.rp = options["rpId"] if not self.rp else self.rp
        self.counter += self.counts
        data = self._data()
        words = self._words("webauthn.get", challenge or options["challenge"])
        signed = self.key.sign(data + hashlib.sha256(words).digest(), ec.ECDSA(hashes.SHA256()))
        return {
            "id": text(self.credential),
            "client_data": text(words),
            "authenticator_data": text(data),
            "signature": text(signed),
            "handle": text(self.handle),
        }

    def _words(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _data(self, more: int = 0) -> bytes:
        flags = PRESENT | (VERIFIED if self.verifies else 0) | more
        return hashlib.sha256(self.rp.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")
