"""The inbox with very many waiting cases: how long it takes to list, first and again.

A few hundred cases are real, sealed and received; they are the ones the inbox shows. The rest are rows like
theirs, older in rank, so that the database has to choose among all of them.
"""

import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
from relay_common import world
from sqlalchemy import Connection, insert, select

from chevet.exchange.manifest import read_manifest
from chevet.exchange.receiver import Receiver
from chevet.exchange.sealing import Recipient, Sealed
from chevet.relay.accounts.users import User
from chevet.relay.api.app import create_app
from chevet.relay.archive.engines import gather
from chevet.relay.archive.schema import bundles, cases, objects
from chevet.relay.keys import make_programme
from chevet.relay.relay import Relay, open_relay, unix_ms
from chevet.relay.settings import Settings
from chevet.study.bundle import pack
from chevet.study.ids import uuid7
from chevet.study.study import Consent, EdgeClock, Patient, Study

REAL = 220
TIMES = 30
GOAL_MS = 200.0


@dataclass(frozen=True)
class Inbox:
    """Milliseconds of GET /api/inbox, without a network."""

    database: str
    cases: int
    listed: int
    first_ms: float
    median_ms: float
    p95_ms: float

    def line(self) -> str:
        """Return the figures as one line."""
        met = "met" if self.p95_ms < GOAL_MS else "NOT met"
        return (
            f"{self.database:<11}inbox of {self.cases} waiting cases lists {self.listed}: "
            f"first {self.first_ms:.0f} ms (summaries opened), then median {self.median_ms:.0f} ms, "
            f"p95 {self.p95_ms:.0f} ms; under {GOAL_MS:.0f} ms: {met}"
        )


def inbox_figures(kind: str, address: str, many: int) -> Inbox:
    """Fill an archive and list its inbox."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make_programme(folder, "Bench")
        settings = Settings(
            keys=folder / "keys",
            archive=folder / "archive",
            database=address,
            label="HTEST",
            second_factor="off",
        )
        relay = open_relay(settings, cost=world.CHEAP)
        _fill(relay, many)
        relay.close()
        relay = open_relay(settings, cost=world.CHEAP)  # nothing remembered
        try:
            return asyncio.run(_listed(kind, relay, many))
        finally:
            relay.close()


def _fill(relay: Relay, many: int) -> None:
    site = world.Site("abc", [Recipient("programme", relay.keys.programme.public_key())])
    relay.sites.add(site.file())
    relay.users.add(User("dr", "Dr", "specialist", "cardiology", ("fr",), b""), world.PASSWORD)
    receiver = Receiver(relay.inbox, signer=relay.keys.relay, origin_key=lambda _: site.signer.public_key())  # type: ignore[attr-defined]
    recordings = (world.ecg(1),)
    for number in range(REAL):
        now = unix_ms()
        patient = Patient(uuid7(now, number.to_bytes(10, "big")), f"Patient {number}", 1970, "F", "")
        study = Study(
            id=uuid7(now, (number + 1000).to_bytes(10, "big")), site="abc", worker="amina", patient=patient,
            consent=Consent(("care",), now, ""), reason="chest_pain", question="?", specialty="cardiology",
            urgency="urgent", closed=EdgeClock(now, "boot", 1.0), recordings=recordings,
        )  # fmt: skip
        sealed = site.seal(pack(study))
        world.deliver(receiver, world.messages(sealed)[: 1 + _pieces(sealed)])  # the summary is all it shows
    with relay.database.write() as connection:
        _like(connection, many - REAL)
        gather(connection)  # what PostgreSQL does by itself within a minute or two


def _pieces(sealed: Sealed) -> int:
    return read_manifest(sealed.manifest).objects[0].chunks


def _like(connection: Connection, many: int) -> None:
    """Add rows like those of a received case."""
    case = connection.execute(select(cases)).mappings().first()
    assert case is not None
    bundle = connection.execute(select(bundles).where(bundles.c.tid == case["tid"])).mappings().one()
    parts = connection.execute(select(objects).where(objects.c.tid == case["tid"])).mappings().all()
    for begin in range(0, many, 1000):
        numbers = range(begin, min(begin + 1000, many))
        names = {number: (f"{number:016x}", uuid7(1, number.to_bytes(10, "big"))) for number in numbers}
        connection.execute(
            insert(bundles), [dict(bundle) | {"tid": t, "id": i, "case_id": i} for t, i in names.values()]
        )
        connection.execute(
            insert(objects), [dict(one) | {"tid": t} for one in parts for t, _ in names.values()]
        )
        rank = {"rank": 2, "urgency": "routine"}
        rows = [dict(case) | {"tid": t, "id": i, "received_ms": n} | rank for n, (t, i) in names.items()]
        connection.execute(insert(cases), rows)


async def _listed(kind: str, relay: Relay, many: int) -> Inbox:
    token = relay.sign_in.sign_in("dr", world.PASSWORD).token
    transport = httpx.ASGITransport(create_app(relay))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as desk:
        desk.cookies.set("chevet_desk", token)
        spans, listed = [], 0
        for _ in range(TIMES + 1):
            begun = time.perf_counter()
            answer = await desk.get("/api/inbox")
            spans.append((time.perf_counter() - begun) * 1000)
            listed = len(answer.json()["cases"])
            assert answer.json()["waiting"] == many
    again = sorted(spans[1:])
    return Inbox(kind, many, listed, spans[0], statistics.median(again), again[int(0.95 * (len(again) - 1))])
