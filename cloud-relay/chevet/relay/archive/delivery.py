"""How one case travelled: when each layer came, what it took, and what goes back."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from chevet.exchange.messages import WANTED
from chevet.relay.archive.cases import LAYERS, Arrival, Case
from chevet.relay.archive.schema import answers, bundles, objects, receipts


@dataclass(frozen=True, slots=True)
class Back:
    """An opinion, message or voice on its way down; `at_site_ms` once the site's receipt was verified."""

    id: str
    kind: str
    queued_ms: int
    at_site_ms: int | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """The road of one case. Times are Unix ms by the relay's clock; bytes are of payload.

    `wanted_ms` is when a reader asked for the rest to come before all other.
    """

    manifest_ms: int
    layers_ms: dict[int, int | None]
    complete_ms: int | None
    bytes_up: int
    bytes_down: int
    sha256: str
    refused: str
    back: tuple[Back, ...]
    wanted_ms: int | None = None


def delivery(connection: Connection, case: Case) -> Delivery:
    """Read how a case travelled."""
    row = connection.execute(select(bundles).where(bundles.c.tid == case.tid)).one()
    down = connection.execute(
        select(bundles)
        .join(answers, answers.c.tid == bundles.c.tid)
        .where(answers.c.case_id == case.id, bundles.c.direction == "down")
        .order_by(bundles.c.received_ms)
    ).all()
    return Delivery(
        manifest_ms=row.received_ms,
        layers_ms=_layer_times(connection, case.tid),
        complete_ms=row.complete_ms,
        bytes_up=row.wire_bytes,
        bytes_down=sum(item.wire_bytes for item in down),
        sha256=row.content_sha256 or "",
        refused=row.refused,
        back=tuple(Back(item.id, item.kind, item.received_ms, item.complete_ms) for item in down),
        wanted_ms=_wanted(connection, case.id),
    )


def _wanted(connection: Connection, case_id: str) -> int | None:
    asked = select(receipts.c.at_ms).where(receipts.c.bundle_id == case_id, receipts.c.kind == WANTED)
    return connection.execute(asked).scalar()


@dataclass(frozen=True, slots=True)
class Stored:
    """One object of a study that can be opened: where it is and what it holds."""

    oid: int
    layer: int
    name: str
    kind: str
    recording: str
    number: int


def stored_parts(connection: Connection, tid: str) -> list[Stored]:
    """Return the objects of a transfer that can be opened now, by oid."""
    query = select(objects).where(objects.c.tid == tid, objects.c.kind.is_not(None)).order_by(objects.c.oid)
    return [
        Stored(row.oid, row.layer, row.name, row.kind, row.recording, row.number)
        for row in connection.execute(query)
    ]


def arrivals(connection: Connection, case: Case) -> dict[str, dict[int, Arrival]]:
    """Return, by recording and layer 1 to 3, how much of it is here.

    What an object holds is sealed with it. One that is still on its way belongs to the recording its
    neighbours belong to; where these differ it is counted for neither until it is here.
    """
    found = {item.id: dict.fromkeys(LAYERS[1:], Arrival(0, 0, 0)) for item in case.study.recordings}
    query = select(objects).where(objects.c.tid == case.tid, objects.c.layer > 0).order_by(objects.c.oid)
    rows = connection.execute(query).all()
    order = [item.id for item in case.study.recordings]
    for layer in LAYERS[1:]:
        of_layer = [row for row in rows if row.layer == layer]
        owners = _owners([row.recording for row in of_layer], order)
        for row, owner in zip(of_layer, owners, strict=True):
            if owner in found:
                was = found[owner][layer]
                found[owner][layer] = Arrival(
                    was.have + row.have, was.total + row.chunks, was.bytes + row.bytes
                )
    return found


def _owners(known: list[str | None], order: list[str]) -> list[str]:
    """Fill in owners between known ones: recordings come in order, so equal neighbours enclose their own."""
    if len(known) == len(order) and all(owner in (None, order[at]) for at, owner in enumerate(known)):
        return order
    owners = []
    for at, owner in enumerate(known):
        before = next((item for item in reversed(known[:at]) if item is not None), order[0] if order else "")
        after = next((item for item in known[at:] if item is not None), order[-1] if order else "")
        owners.append(owner if owner is not None else before if before == after else "")
    return owners


def _layer_times(connection: Connection, tid: str) -> dict[int, int | None]:
    query = (
        select(
            objects.c.layer,
            func.max(objects.c.stored_ms).label("last"),
            func.count().label("all"),
            func.count(objects.c.stored_ms).label("stored"),
        )
        .where(objects.c.tid == tid)
        .group_by(objects.c.layer)
    )
    times: dict[int, int | None] = dict.fromkeys(LAYERS)
    for row in connection.execute(query):
        times[row.layer] = row.last if row.all == row.stored else None
    return times
