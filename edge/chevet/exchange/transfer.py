"""The sender's view of one bundle under way: for each chunk, how far it is known to have come."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from chevet.exchange.manifest import Manifest, ObjectEntry, read_manifest


class Way(IntEnum):
    """How far a chunk (or the manifest) has come."""

    WAITING = 0  # to be sent
    UNDER_WAY = 1  # given to the line
    ACKNOWLEDGED = 2  # at the broker, which proves nothing
    ASKED = 3  # was acknowledged, or cut off under way, when the question left
    CONFIRMED = 4  # the other end says it has it


@dataclass(slots=True)
class Piece:
    """One object's chunks."""

    entry: ObjectEntry
    ways: bytearray
    sent: bytearray
    """1 where a chunk has been sent at least once."""

    def acknowledge(self, first: int, count: int) -> None:
        """The broker has these; what was confirmed meanwhile stays so."""
        for seq in range(first, first + count):
            if self.ways[seq] == Way.UNDER_WAY:
                self.ways[seq] = Way.ACKNOWLEDGED

    def confirm(self, bitmap: bytes, *, asked: bool) -> None:
        """Take over what the other end has; what it lacks goes again if it had been asked about."""
        for seq in range(self.entry.chunks):
            there = seq >> 3 < len(bitmap) and bitmap[seq >> 3] & 0x80 >> (seq & 7)
            if there:
                self.ways[seq] = Way.CONFIRMED
            elif asked and self.ways[seq] in (Way.ASKED, Way.CONFIRMED):
                self.ways[seq] = Way.WAITING


@dataclass(slots=True)
class Transfer:
    """One bundle on its way.

    Attributes:
        data: the manifest as it travels.
        order: counts transfers in order of age.
        held: nothing is sent until the other end has said what it has.
        asks: questions since the other end last spoke of this transfer.
        wanted: somebody waits for all of it.
    """

    data: bytes
    manifest: Manifest
    order: int
    pieces: tuple[Piece, ...]
    manifest_way: Way = Way.WAITING
    held: bool = False
    asks: int = 0
    question: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    wanted: bool = False
    _by_layer: list[Piece] = field(default_factory=list[Piece])
    _head: int = 0

    @property
    def tid(self) -> bytes:
        """The transfer's short name."""
        return self.manifest.tid

    def head(self) -> Piece | None:
        """Return the first piece in order of layers with a chunk to send."""
        while self._head < len(self._by_layer):
            if Way.WAITING in self._by_layer[self._head].ways:
                return self._by_layer[self._head]
            self._head += 1
        return None

    def rewind(self) -> None:
        """Look at all pieces again: some of their chunks may be waiting once more."""
        self._head = 0

    def ready(self) -> int | None:
        """Return the layer of what would be sent next (0 for the manifest), None for nothing."""
        if self.held:
            return None
        if self.manifest_way is Way.WAITING:
            return 0
        piece = self.head()
        return None if piece is None else piece.entry.layer

    def unsure(self) -> int:
        """Return how many chunks the broker acknowledged of which the other end has said nothing."""
        return sum(piece.ways.count(Way.ACKNOWLEDGED) + piece.ways.count(Way.ASKED) for piece in self.pieces)

    def confirmed(self) -> int:
        """Return how many chunks the other end says it has."""
        return sum(piece.ways.count(Way.CONFIRMED) for piece in self.pieces)

    def started(self) -> bool:
        """Return whether anything of it was ever sent, by this process or perhaps by an earlier one."""
        return self.held or self.manifest_way is not Way.WAITING

    def to_settle(self) -> bool:
        """Return whether there is something to ask about."""
        return (
            self.held
            or self.manifest_way in (Way.ACKNOWLEDGED, Way.ASKED)
            or self.unsure() > 0
            or self.done()
        )

    def done(self) -> bool:
        """Return whether all is confirmed and only the COMPLETE is missing."""
        return self.confirmed() == self.manifest.chunks

    def asked(self) -> None:
        """A question leaves: its answer will decide about all that is now at the broker."""
        for piece in self.pieces:
            piece.ways = piece.ways.replace(bytes([Way.ACKNOWLEDGED]), bytes([Way.ASKED]))
        if self.manifest_way is Way.ACKNOWLEDGED:
            self.manifest_way = Way.ASKED

    def cut(self) -> None:
        """The connection ended: what was under way may or may not have arrived."""
        if self.manifest_way is Way.UNDER_WAY or any(Way.UNDER_WAY in piece.ways for piece in self.pieces):
            self.held = True
        for piece in self.pieces:
            piece.ways = piece.ways.replace(bytes([Way.UNDER_WAY]), bytes([Way.ASKED]))
        if self.manifest_way is Way.UNDER_WAY:
            self.manifest_way = Way.ASKED

    def answered(self, bitmaps: tuple[bytes, ...], *, asked: bool) -> None:
        """The other end knows the manifest and has these chunks."""
        self.manifest_way = Way.CONFIRMED
        for piece, bitmap in zip(self.pieces, bitmaps, strict=False):
            piece.confirm(bitmap, asked=asked)
        self.held = self.held and not asked
        self.rewind()

    def unknown(self) -> None:
        """The other end has never heard of it, or has lost it: all that is not under way goes again."""
        if self.manifest_way is not Way.UNDER_WAY:
            self.manifest_way = Way.WAITING
        for piece in self.pieces:
            waiting = bytes([Way.WAITING])
            for way in (Way.ACKNOWLEDGED, Way.ASKED, Way.CONFIRMED):
                piece.ways = piece.ways.replace(bytes([way]), waiting)
        self.held = False
        self.rewind()


def transfer(data: bytes, order: int, *, held: bool) -> Transfer:
    """Return a transfer of one's own manifest.

    Raises:
        Refused: the manifest cannot be read.
    """
    manifest = read_manifest(data)
    pieces = tuple(Piece(item, bytearray(item.chunks), bytearray(item.chunks)) for item in manifest.objects)
    by_layer = sorted(pieces, key=lambda piece: (piece.entry.layer, piece.entry.oid))
    return Transfer(data, manifest, order, pieces, held=held, _by_layer=by_layer)


def run_of(piece: Piece, longest: int) -> tuple[int, int]:
    """Return first and count of the next consecutive chunks to send, at most `longest`."""
    first = piece.ways.find(Way.WAITING)
    return first, sum(1 for _ in _waiting_from(piece, first, longest))


def _waiting_from(piece: Piece, first: int, longest: int) -> Iterator[int]:
    for seq in range(first, min(first + longest, piece.entry.chunks)):
        if piece.ways[seq] != Way.WAITING:
            return
        yield seq
