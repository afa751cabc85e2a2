"""What the box remembers of itself outlives a power cut."""

from pathlib import Path

import pytest
from edge_fakes import Box, make_box, open_box
from test_edge_api import error, kiosk
from test_edge_full_disk import full

from chevet.edge.database import Database
from chevet.edge.kept import CONTACT_EVERY_MS, Kept
from chevet.edge.store import open_store


def again(folder: Path, box: Box, **changes: object) -> Box:
    """Start the box anew on the same disk."""
    box.close()
    return open_box(folder, box.bedside.settings.programme, box.relay, **changes)


async def test_the_code_of_electrodes_chosen_at_the_kiosk_outlives_a_restart_and_the_setting(
    tmp_path: Path,
) -> None:
    box = make_box(tmp_path)
    async with kiosk(box) as client:
        assert (await client.get("/api/status")).json()["electrodes"] == "iec"
        assert (await client.put("/api/electrodes", json={"code": "aha"})).status_code == 204
        assert (await client.get("/api/status")).json()["electrodes"] == "aha"
        assert error(await client.put("/api/electrodes", json={"code": "blue"}))[:2] == (422, "invalid")
    box = again(tmp_path, box, electrodes="iec")
    assert box.bedside.status()["electrodes"] == "aha"
    box.close()


async def test_nobody_chooses_electrodes_without_signing_in(box: Box) -> None:
    async with kiosk(box, signed_in=False) as client:
        refused = await client.put("/api/electrodes", json={"code": "aha"})
        assert error(refused) == (401, "not_signed_in", None)
    assert box.bedside.kept.electrodes == "iec"


def test_the_setting_counts_where_nobody_chose(tmp_path: Path) -> None:
    box = make_box(tmp_path, electrodes="aha")
    assert box.bedside.status()["electrodes"] == "aha"
    box.close()


def test_a_box_that_starts_without_a_network_says_when_it_last_had_one(tmp_path: Path) -> None:
    box = make_box(tmp_path)
    assert box.bedside.status()["uplink"]["last_contact_ms"] is None
    box.bedside.kept.note_contact(1_800_000_000_000)
    box = again(tmp_path, box)
    assert box.bedside.status()["uplink"]["last_contact_ms"] == 1_800_000_000_000
    box.close()


def test_contacts_are_written_seldom_and_a_full_disk_loses_only_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database: Database = open_store(tmp_path / "edge.db")
    kept = Kept(database, "iec")
    assert kept.contact_due(1)
    kept.note_contact(1_000_000)
    assert not kept.contact_due(1_000_000 + CONTACT_EVERY_MS - 1)
    assert kept.contact_due(1_000_000 + CONTACT_EVERY_MS)
    assert kept.contact_due(1_000_000 - CONTACT_EVERY_MS)  # the clock was wrong before
    monkeypatch.setattr(database, "write", full)
    kept.note_contact(2_000_000)
    assert kept.contact_ms == 1_000_000
    database.close()
