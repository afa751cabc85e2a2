"""Opens what the archive keeps sealed, with the programme's key, for as long as somebody reads it.

Words written at the relay itself are sealed to the same key before they enter a row (`closed_words`).
"""

from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from chevet.exchange.errors import Refused
from chevet.exchange.keys import KID_BYTES, kid
from chevet.exchange.manifest import Manifest, read_manifest
from chevet.exchange.sealing import open_object
from chevet.relay.archive.objects import Objects
from chevet.relay.errors import ArchiveError
from chevet.study.bundle import Bundle, Part
from chevet.study.errors import BundleError
from chevet.study.shape import Shape
from chevet.study.study import Study
from chevet.study.summary import read_shapes

SUMMARIES = 512
"""Opened summaries kept in memory, a few KB each, so that the inbox need not open them at every look."""
PARTS = 32
"""Opened parts kept in memory, at most some hundred KB each."""
_WORDS = b"chevet words 1\0"


class Vault:
    """Reads stored objects as parts, summaries and bundles."""

    def __init__(self, objects: Objects, key: X25519PrivateKey, *older: X25519PrivateKey) -> None:
        self._objects = objects
        self.hold(key, *older)
        self.summary = lru_cache(SUMMARIES)(self._summary)
        self.part = lru_cache(PARTS)(self._part)

    def open(self, manifest: Manifest, oid: int, ciphertext: bytes) -> Part:
        """Return one part from its ciphertext.

        Raises:
            Refused: it cannot be opened.
        """
        fitting = (self._keys[wrap.kid] for wrap in manifest.wraps if wrap.kid in self._keys)
        return open_object(manifest, oid, ciphertext, next(fitting, self._key))

    def opens(self, manifest: Manifest) -> bool:
        """Tell whether one of our keys is among those it was sealed to."""
        return any(wrap.kid in self._keys for wrap in manifest.wraps)

    def hold(self, key: X25519PrivateKey, *older: X25519PrivateKey) -> None:
        """Take the programme's present keys in the place of those held."""
        self._key = key
        self._keys = {kid(one.public_key()): one for one in (*older, key)}

    def bundle(self, manifest: bytes, names: dict[int, str]) -> Bundle:
        """Return a whole bundle, its objects' names given by oid.

        Raises:
            Refused: an object cannot be opened.
            ArchiveError: an object is missing or damaged.
        """
        said = read_manifest(manifest)
        parts = tuple(self.open(said, oid, self._objects.get(names[oid])) for oid in sorted(names))
        return Bundle(said.id, said.kind, said.case, parts)

    def closed_words(self, words: str, place: str) -> bytes:
        """Seal words for one place of the archive: they open nowhere else, so rows cannot be exchanged."""
        public = self._key.public_key()
        return kid(public) + _suite().encrypt(words.encode(), public, _WORDS + place.encode())

    def opened_words(self, sealed: bytes, place: str) -> str:
        """Return words that `closed_words` sealed for this place.

        Raises:
            ArchiveError: they are damaged, of another place, or of a key that is not held.
        """
        key = self._keys.get(bytes(sealed[:KID_BYTES]))
        try:
            if key is not None:
                return _suite().decrypt(bytes(sealed[KID_BYTES:]), key, _WORDS + place.encode()).decode()
        except (InvalidTag, ValueError):
            pass
        raise ArchiveError(f"Words of {place} cannot be opened: restore the keys and the archive together.")

    def _part(self, manifest: bytes, oid: int, name: str) -> Part:
        """Return one stored part (`part` is this, remembered).

        Raises:
            ArchiveError: the object is missing, damaged or not ours to open.
        """
        try:
            return self.open(read_manifest(manifest), oid, self._objects.get(name))
        except Refused as error:
            raise ArchiveError(
                f"Object {name} cannot be opened ({error.reason}): restore the keys."
            ) from None

    def _summary(self, manifest: bytes, name: str) -> tuple[Study, dict[str, Shape]]:
        """Return the study of a stored layer 0 (`summary` is this, remembered).

        Raises:
            ArchiveError: the object is missing, damaged or not ours to open.
        """
        try:
            return read_shapes(self._part(manifest, 0, name).data)
        except BundleError as error:
            raise ArchiveError(f"Object {name} holds no summary ({error.reason}).") from None


def _suite() -> Suite:
    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)  # RFC 9180, base mode
