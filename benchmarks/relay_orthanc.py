"""The same studies to the relay and to Orthanc: how long until stored, how long to find, how many bytes.

A study is a 12-lead ECG of 10 s, a heart sound of 10 s and a picture of the ear, of a simulated patient. The
relay gets it sealed and signed over a broker, and has it when its signed receipt came, which it sends after
its durable commit. Orthanc gets the same recordings as DICOM objects by STOW-RS on lines that stay open, and
has them when it answered. Then both are asked for one study and for their list. They do not do the same work:
Orthanc is sent what the relay's own export makes of the samples, neither sealed nor compressed, and checks no
signature; the relay is also sent copies for thin links, and writes every look into its audit.
"""

import asyncio
import json
import shutil
import statistics
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from relay_common import world
from relay_orthanc_studies import studies
from relay_road import Road, broker, free_port, send, start, wait_for

from chevet.exchange.manifest import read_manifest
from chevet.exchange.sealing import Recipient, Sealed
from chevet.relay.accounts.users import OPERATOR, User
from chevet.relay.exports.dicom_files import every_object
from chevet.relay.exports.dicom_object import DICOM, encoded
from chevet.relay.exports.subject import subject
from chevet.relay.keys import make_programme, read_programme
from chevet.relay.relay import open_relay
from chevet.relay.settings import Settings, read_settings

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
SITES, TIMES = 8, 20
ALONE, APART_S = 11, 1.0
"""So many studies go one at a time, so far apart, s; the others at once, from SITES sites or lines.

The first of all is left out of the times, with both: it waits for the line and for what is loaded once.
"""


@dataclass(frozen=True, slots=True)
class Beside:
    """Figures of one of the two; seconds, milliseconds, bytes.

    Attributes:
        stored_s: one study alone, until the word that it is stored came; median and p95.
        per_s: studies stored a second when many come at once.
        found_ms: asking for one study; median.
        listed_ms: asking for the list of all, the relay 200 at the most; median and p95.
        listed: how many the list held.
        line_bytes: of a study on the line, without the protocol under it; mean.
        disk_bytes: of a study in the store, the database aside; mean.
    """

    who: str
    studies: int
    stored_s: tuple[float, float]
    per_s: float
    found_ms: float
    listed_ms: tuple[float, float]
    listed: int
    line_bytes: float
    disk_bytes: float

    def line(self) -> str:
        """Return the figures as one line."""
        return (
            f"{self.who:<11}{self.studies} studies  stored after {self.stored_s[0] * 1000:.0f} ms "
            f"(p95 {self.stored_s[1] * 1000:.0f}), {self.per_s:.1f} a second at once  "
            f"one found in {self.found_ms:.1f} ms, {self.listed} listed in {self.listed_ms[0]:.0f} ms "
            f"(p95 {self.listed_ms[1]:.0f})  "
            f"on the line {self.line_bytes / 1000:.0f} kB, on disk {self.disk_bytes / 1000:.0f} kB each"
        )


def beside_orthanc(many: int) -> Iterator[Beside]:
    """Yield the relay's figures, then Orthanc's, or nothing but a sentence where Orthanc is not installed."""
    program = shutil.which("Orthanc", path="/usr/sbin:/usr/bin")
    if program is None or not PLUGIN.exists():
        print("orthanc is not installed here (apt install orthanc orthanc-dicomweb): skipped")
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        ours, objects = _relay(folder, many)
        yield ours
        with _orthanc(program, folder) as client:
            yield _of_orthanc(client, objects)


# The relay


def _relay(folder: Path, many: int) -> tuple[Beside, list[list[tuple[str, bytes]]]]:
    """Return the relay's figures, and the DICOM objects it makes of each study: identifiers and bytes."""
    make_programme(folder, "Bench")
    keys = read_programme(folder / "keys")
    codes = [f"s{number:03}" for number in range(SITES)]
    sites = {code: world.Site(code, [Recipient("programme", keys.programme.public_key())]) for code in codes}
    sent = studies(sites, many)
    ids = [sealed.id for _, sealed in sent]
    with broker() as broker_port:
        settings = _settings(folder, broker_port)
        _prepare(settings, sites.values())
        with _running(folder, settings.port):
            spans, per_s = _sent(Road(sites, keys.relay.public_key()), broker_port, sent)
            found, listed = _looked_up(settings.port, ids)
    sizes = [len(sealed.manifest) + read_manifest(sealed.manifest).size for _, sealed in sent]
    stored = sum(one.stat().st_size for one in (settings.archive / "objects").glob("??/*"))
    figures = Beside(
        "relay",
        many,
        _middle_and_p95(spans),
        per_s,
        statistics.median(span for span, _ in found),
        _middle_and_p95([span for span, _ in listed[1:]]),
        listed[-1][1],
        statistics.mean(sizes),
        stored / many,
    )
    return figures, _objects(settings, ids)


def _settings(folder: Path, broker_port: int) -> Settings:
    config = folder / "relay.toml"
    config.write_text(
        f'port = {free_port()}\nbroker_port = {broker_port}\nlabel = "HTEST"\nsecond_factor = "off"\n'
        'log_level = "warning"\n'
    )
    return read_settings(config)


@contextmanager
def _running(folder: Path, port: int) -> Iterator[None]:
    process = start("run", "--config", str(folder / "relay.toml"))
    try:
        wait_for(port)
        yield
    finally:
        process.terminate()
        process.wait(60)


def _looked_up(port: int, ids: Sequence[str]) -> tuple[list[tuple[float, int]], list[tuple[float, int]]]:
    """Ask the relay for one study after the other, then for the inbox again and again: `_asked` of each."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"X-Chevet": "1"}) as desk:
        desk.post("/api/session", json={"user": "dr", "password": world.PASSWORD}).raise_for_status()
        found = [_asked(desk, f"/api/cases/{ident}", _any) for ident in ids[:TIMES]]
        return found, [_asked(desk, "/api/inbox", lambda it: len(it["cases"])) for _ in range(TIMES + 1)]


def _prepare(settings: Settings, sites: Iterable[Any]) -> None:
    relay = open_relay(settings, cost=world.CHEAP)
    for site in sites:
        relay.sites.add(site.file())
    relay.users.add(User("dr", "Dr", "specialist", "cardiology", ("fr",), b""), world.PASSWORD)
    relay.close()


def _sent(road: Road, port: int, given: list[tuple[str, Sealed]]) -> tuple[list[float], float]:
    """Return the seconds of each study that went alone but the first, and how many a second came at once."""
    alone = [number * APART_S for number in range(ALONE)]
    asyncio.run(send(road, port, given, alone + [ALONE * APART_S] * (len(given) - ALONE), []))
    assert len(road.receipts) == len(given), "a study was lost"
    ids = [sealed.id for _, sealed in given]
    spans = [road.receipts[ident] - road.given[ident] for ident in ids[1:ALONE]]
    rest = ids[ALONE:]
    took = max(road.receipts[ident] for ident in rest) - road.given[rest[0]]
    return spans, len(rest) / took


def _objects(settings: Settings, ids: Sequence[str]) -> list[list[tuple[str, bytes]]]:
    relay = open_relay(settings, cost=world.CHEAP)
    try:
        found = []
        for ident in ids:
            made = every_object(subject(relay, ident, OPERATOR, "stow"))
            datasets = [item for item in made if isinstance(item, tuple)]
            assert len(datasets) == 3, "ECG, sound and picture"
            found.append([(str(ds.StudyInstanceUID), encoded(ds, syntax)) for ds, syntax in datasets])
        return found
    finally:
        relay.close()


# Orthanc


@contextmanager
def _orthanc(program: str, folder: Path) -> Iterator[httpx.Client]:
    port, password = free_port(), uuid.uuid4().hex
    where = str(folder / "orthanc")
    told = {
        "StorageDirectory": where,
        "IndexDirectory": where,
        "HttpPort": port,
        "DicomServerEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {"bench": password},
        "Plugins": [str(PLUGIN)],
        "KeepAlive": True,
    }
    (folder / "orthanc.json").write_text(json.dumps(told))
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen([program, str(folder / "orthanc.json")], stdout=log, stderr=log)
    try:
        wait_for(port)
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", auth=("bench", password), timeout=60.0
        ) as client:
            yield client
    finally:
        process.terminate()
        process.wait(60)


def _of_orthanc(client: httpx.Client, objects: list[list[tuple[str, bytes]]]) -> Beside:
    bodies = [_multipart([data for _, data in one]) for one in objects]
    spans = [_stow(client, *body) for body in bodies[:ALONE]][1:]  # as at the relay
    begun = time.perf_counter()
    with ThreadPoolExecutor(SITES) as pool:
        list(pool.map(lambda body: _stow(client, *body), bodies[ALONE:]))
    per_s = (len(bodies) - ALONE) / (time.perf_counter() - begun)
    uids = [one[0][0] for one in objects]
    found = [_asked(client, f"/dicom-web/studies/{uid}/instances", len) for uid in uids[:TIMES]]
    assert {many for _, many in found} == {3}, "not all objects are found"
    listed = [_asked(client, "/dicom-web/studies?limit=200", len) for _ in range(TIMES + 1)]
    kept = client.get("/statistics").json()
    return Beside(
        "Orthanc",
        len(objects),
        _middle_and_p95(spans),
        per_s,
        statistics.median(span for span, _ in found),
        _middle_and_p95([span for span, _ in listed[1:]]),
        listed[-1][1],
        statistics.mean(len(data) for _, data in bodies),
        int(kept["TotalDiskSize"]) / len(objects),
    )


def _multipart(objects: Sequence[bytes]) -> tuple[str, bytes]:
    """Return boundary and body of one STOW-RS request (PS3.18, 10.5)."""
    mark = uuid.uuid4().hex
    parts = [f"--{mark}\r\nContent-Type: {DICOM}\r\n\r\n".encode() + one + b"\r\n" for one in objects]
    return mark, b"".join(parts) + f"--{mark}--\r\n".encode()


def _stow(client: httpx.Client, mark: str, body: bytes) -> float:
    kind = f'multipart/related; type="{DICOM}"; boundary={mark}'
    begun = time.perf_counter()
    answer = client.post(
        "/dicom-web/studies",
        content=body,
        headers={"Content-Type": kind, "Accept": "application/dicom+json"},
    )
    answer.raise_for_status()
    assert not answer.json().get("00081198", {}).get("Value"), "an object was refused"
    return time.perf_counter() - begun


# Both


def _any(_answer: Any) -> int:
    return 1


def _asked(client: httpx.Client, where: str, count: Callable[[Any], int]) -> tuple[float, int]:
    """Return the milliseconds an answer took, and how much it holds."""
    begun = time.perf_counter()
    answer = client.get(where, headers={"Accept": "application/json"})
    span = (time.perf_counter() - begun) * 1000
    answer.raise_for_status()
    return span, count(answer.json())


def _middle_and_p95(spans: Iterable[float]) -> tuple[float, float]:
    ordered = sorted(spans)
    return statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))]
