"""Both ends of benchmarks/chaos.py after the last fault: what box, archive and desk hold."""

import asyncio
import json
import subprocess
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos_digest import samples_digest
from chaos_player import StageFell
from chaos_stage import PASSWORD, SPECIALIST, Stage
from sqlalchemy import select

from chevet.relay.accounts.users import find
from chevet.relay.archive import cases as archive_cases
from chevet.relay.archive.schema import bundles, dead_letters, objects
from chevet.relay.relay import Relay, open_relay
from chevet.relay.settings import read_settings
from chevet.sim.matcher import Match, match, read_ledger
from chevet.sim.screens import Screen
from chevet.study.bundle import content_hash, unpack

HTTP_S = 600.0


@dataclass(frozen=True)
class Ends:
    """What was found.

    Attributes:
        match: the proof.
        pending: studies that still wait at the box.
        refused: id and reason of those that the relay refused.
        dead_letters: what the relay could not use, counted by its reason.
        samples: how many studies had recordings compared sample by sample.
        bytes: of all studies in the archive, sealed.
        integrity: what SQLite says of the archive's database, "ok" when all is well. The box checks its own
            at every start, and does not start with a damaged one.
    """

    match: Match
    pending: int
    refused: dict[str, str]
    dead_letters: dict[str, int]
    samples: int
    bytes: int
    integrity: str


def read_ends(stage: Stage, folder: Path) -> Ends:
    """Read the desk's list, end all programs, and read box and archive from their disks."""
    shown = asyncio.run(_shown(stage))
    for player in (stage.box, stage.relay, stage.broker):
        player.end()
    box = _told(stage, folder)
    rows = list(read_ledger(stage.ledger))
    sent = {row["sent"]: row for row in rows if "sent" in row}
    with closing(_archive(stage, folder)) as relay:
        delivered, samples, size = _delivered(relay)
        letters, integrity = _letters(relay), _integrity(relay)
        listed = _listed(relay, shown)
    for ident, row in sent.items():
        if ident in delivered and row["samples"] != samples[ident]:
            delivered[ident] += " with other samples"
    found = match(
        {ident: row["sha256"] for ident, row in sent.items()},
        {ident: words["sha256"] for ident, words in box.items()},
        [(ident, sha256) for ident, sha256 in delivered.items()],
        listed,
        {row["settled"] for row in rows if "settled" in row},
    )
    return Ends(
        match=found,
        pending=sum(words["spool"] == "pending" for words in box.values()),
        refused={ident: words["refused"] for ident, words in box.items() if words["refused"]},
        dead_letters=letters,
        samples=sum(bool(row["samples"]) for ident, row in sent.items() if ident in delivered),
        bytes=size,
        integrity=integrity,
    )


def _listed(relay: Relay, shown: list[str]) -> list[str]:
    """Return every id that the desk has, also those beyond the length of one list.

    The desk shows at most so many at once, so the whole is the same query on the archive without that limit.
    What was shown twice, or is not in the whole, is added, so that it is seen.
    """
    with relay.database.read() as connection:
        reader = find(connection, SPECIALIST)
    if reader is None:
        raise StageFell(f"the archive has lost its specialist {SPECIALIST}")
    limit, archive_cases.WAITING_SHOWN = archive_cases.WAITING_SHOWN, 1_000_000
    try:
        whole = [case.id for case in relay.cases.inbox(reader)]
    finally:
        archive_cases.WAITING_SHOWN = limit
    if len(shown) != min(len(whole), limit):
        raise StageFell(f"the desk showed {len(shown)} of {len(whole)} cases, not {min(len(whole), limit)}")
    times = Counter(shown)
    return [*whole, *(one for one in times if times[one] > 1 or one not in whole)]


async def _shown(stage: Stage) -> list[str]:
    """Return the ids that a specialist who signs in at the desk sees."""
    screen = Screen("desk", stage.desk_url)
    screen.http.timeout = HTTP_S  # thousands of cases wait, and each summary is opened
    try:
        await screen.post("sign in", "/api/session", {"user": SPECIALIST, "password": PASSWORD})
        answer = await screen.get("inbox", "/api/inbox")
        return [one["id"] for one in answer["cases"]]
    finally:
        await screen.aclose()


def _told(stage: Stage, folder: Path) -> dict[str, dict[str, Any]]:
    file = folder / "box.json"
    done = subprocess.run(stage.box_command("--tell", str(file)), capture_output=True, text=True, check=False)
    if done.returncode:
        raise StageFell(f"the box cannot tell what it knows: {done.stderr.strip()}")
    cases: dict[str, dict[str, Any]] = json.loads(file.read_text())["cases"]
    return cases


def _archive(stage: Stage, folder: Path) -> Relay:
    """Open the relay's archive: a copy, where it lies on a disk that only the programs there see."""
    path = stage.far.folder
    if stage.far.disk is not None:
        stage.far.disk.copy_out(path.name, folder / "archive")
        path = folder / "archive"
    return open_relay(read_settings(path / "relay.toml"))


def _delivered(relay: Relay) -> tuple[dict[str, str], dict[str, str], int]:
    """Return content and samples of every whole study by id, from its bytes, and their size.

    A study that lies there twice is kept under a name of its own, so that it is seen.
    """
    contents: dict[str, str] = {}
    samples: dict[str, str] = {}
    size = 0
    query = select(bundles).where(
        bundles.c.direction == "up", bundles.c.kind == "study", bundles.c.complete_ms.is_not(None)
    )
    with relay.database.read() as connection:
        for row in connection.execute(query).all():
            parts = connection.execute(select(objects).where(objects.c.tid == row.tid)).all()
            bundle = relay.vault.bundle(row.manifest, {part.oid: part.name for part in parts})
            ident = bundle.id if bundle.id not in contents else f"{bundle.id} again as {row.tid}"
            contents[ident] = content_hash(bundle)
            samples[ident] = samples_digest(
                waveform.values for item in unpack(bundle).recordings for waveform in item.waveforms
            )
            size += sum(part.bytes for part in parts)
    return contents, samples, size


def _letters(relay: Relay) -> dict[str, int]:
    found: dict[str, int] = {}
    with relay.database.read() as connection:
        for reason in connection.execute(select(dead_letters.c.reason)).scalars():
            found[reason] = found.get(reason, 0) + 1
    return found


def _integrity(relay: Relay) -> str:
    with relay.database.read() as connection:
        return str(connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar())
