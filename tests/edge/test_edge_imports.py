"""A cart's ECG in a visit: offered, compared, taken with the file itself, and free again when unwanted."""

import datetime
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from edge_fakes import make_box
from test_edge_api import at_work, consented, error, kiosk, visit_of

from chevet.devices.ecg_files import read_ecg_file
from chevet.devices.samples import Reading
from chevet.edge.journal import read_journal
from chevet.edge.settings import CartSettings
from chevet.sim.bodies import EcgBody
from chevet.sim.twins.cart import LEADS, drop, file_of
from chevet.sim.twins.cart_scp import Owner, Record, write_scp
from chevet.study.bundle import pack, unpack
from chevet.study.recording import StoredFile

WHEN = datetime.datetime(2026, 3, 14, 10, 32, 5)
HER = Owner("Benyoussef", "Fatima Zahra", "N17", datetime.date(1974, 3, 2), 2)
HIM = Owner("Alami", "Driss", "N18", datetime.date(1950, 3, 2), 1)


@pytest.fixture
def box(tmp_path: Path):
    folder = tmp_path / "cart"
    folder.mkdir()
    one = make_box(tmp_path, cart=CartSettings(folder=folder, settle_s=0.1))
    yield one
    one.close()


def came(box, data: bytes, name: str = "ecg.scp") -> None:
    """Let a file come and settle."""
    cart = box.bedside.cart
    drop(cart.settings.folder, name, data)
    cart.settings = cart.settings.model_copy(update={"settle_s": 0.0})
    assert cart.look() == 1


async def offered(client) -> list[dict]:
    return (await client.get("/api/imports")).json()["imports"]


async def test_a_carts_ecg_is_offered_taken_accepted_and_travels_with_its_file(box) -> None:
    source = file_of("scp", 1, WHEN, HER)
    came(box, source)
    async with at_work(box) as client:
        visit = await consented(client)
        (one,) = await offered(client)
        assert (one["driver"], one["seconds"], one["patient"]) == ("scp-ecg", 10.0, "same")
        assert one["leads"] == list(LEADS)
        assert one["taken"] == "2026-03-14T10:32:05"
        assert "Benyoussef" not in str(one)
        answer = await client.post(f"/api/visits/{visit}/imports", json={"file": one["id"]})
        assert answer.status_code == 201
        capture = answer.json()
        assert (capture["step"], capture["state"], capture["problem"]) == ("ecg", "done", "")
        assert capture["recording"]["driver"] == "scp-ecg"
        assert capture["recording"]["simulated"], "a virtual cart says so of itself"
        assert await offered(client) == []
        wave = await client.get(f"/api/captures/{capture['id']}/waveform")
        assert wave.status_code == 200
        taken = await client.post(f"/api/captures/{capture['id']}/accept", json={"poor": True})
        assert taken.status_code == 200
    recording = box.bedside.captures.recording(box.bedside.visits.capture(capture["id"]))
    (waveform,) = recording.waveforms
    assert (waveform.values == EcgBody(1).take(0, 5000)).all()
    assert waveform.gaps == ()
    assert recording.source == StoredFile(source, "application/vnd.scp-ecg")
    assert recording.device["model"] == "CV-12"
    assert recording.device["patient_in_file"] == "same"
    assert recording.started_ms == round(WHEN.timestamp() * 1000)
    assert recording.link.startswith("file:")
    study = box.bedside.rules.closing._study(
        replace(
            box.bedside.visits.get(visit),
            words=replace(box.bedside.visits.get(visit).words, closed=box.bedside.clock.reading()),
        )
    )
    assert study.label == "HTEST"
    again = unpack(pack(study)).recordings[0]
    assert again.source == recording.source
    assert (read_ecg_file(again.source.data).values == waveform.values).all()


async def test_a_file_that_names_another_patient_needs_a_word(box) -> None:
    came(box, file_of("dicom", 1, WHEN, HIM), "ecg.dcm")
    async with kiosk(box) as client:
        assert (await offered(client))[0]["patient"] == "", "no visit is open"
        visit = await consented(client)
        (one,) = await offered(client)
        assert one["patient"] == "other"
        refused = await client.post(f"/api/visits/{visit}/imports", json={"file": one["id"]})
        assert error(refused) == (409, "other_patient", "confirm")
        assert "Alami" not in refused.text
        assert len(await offered(client)) == 1
        told = {"file": one["id"], "confirm": True}
        taken = await client.post(f"/api/visits/{visit}/imports", json=told)
        assert taken.status_code == 201
    recording = box.bedside.captures.recording(box.bedside.visits.capture(taken.json()["id"]))
    assert recording.device["patient_in_file"] == "confirmed"
    assert recording.source.media_type == "application/dicom"


async def test_a_discarded_or_abandoned_import_is_free_again(box) -> None:
    came(box, file_of("ecg90a", 1, WHEN), "ecg.ECG")
    async with kiosk(box) as client:
        visit = await consented(client)
        (one,) = await offered(client)
        assert one["patient"] == "not_named"
        for _ in range(2):
            capture = (await client.post(f"/api/visits/{visit}/imports", json={"file": one["id"]})).json()
            assert capture["recording"]["driver"] == "contec-ecg90a"
            assert await offered(client) == []
            await client.post(f"/api/captures/{capture['id']}/discard")
            assert len(await offered(client)) == 1
        await client.post(f"/api/visits/{visit}/imports", json={"file": one["id"]})
        await client.post(f"/api/visits/{visit}/abandon", json={"reason": "left"})
        assert len(await offered(client)) == 1
        assert (await client.delete(f"/api/imports/{one['id']}")).status_code == 204
        assert await offered(client) == []
        assert error(await client.delete(f"/api/imports/{one['id']}"))[:2] == (404, "not_found")


async def test_what_cannot_be_taken_is_refused_in_the_one_form(box) -> None:
    came(box, file_of("scp", 1, WHEN))
    async with at_work(box) as client:
        visit = await visit_of(client)
        (one,) = await offered(client)
        body = {"file": one["id"]}
        assert error(await client.post(f"/api/visits/{visit}/imports", json=body))[1] == "no_consent"
        await client.put(f"/api/visits/{visit}/consent", json={"purposes": ["care"], "witness": ""})
        nothing = await client.post(f"/api/visits/{visit}/imports", json={"file": "x"})
        assert error(nothing)[:2] == (404, "not_found")
        wrong = await client.post(f"/api/visits/{visit}/imports", json={"file": one["id"], "confirm": "yes"})
        assert error(wrong)[:2] == (422, "invalid")
        running = (await client.post(f"/api/visits/{visit}/captures", json={"step": "ecg"})).json()
        assert error(await client.post(f"/api/visits/{visit}/imports", json=body))[1] == "capture_running"
        await client.post(f"/api/captures/{running['id']}/stop")
        box.bedside.cart.imports.path(one["id"]).unlink()
        assert error(await client.post(f"/api/visits/{visit}/imports", json=body))[:2] == (404, "not_found")
        await client.post(f"/api/visits/{visit}/abandon", json={"reason": ""})
        assert error(await client.post(f"/api/visits/{visit}/imports", json=body))[1] == "conflict"


async def test_files_of_the_cart_are_told_to_nobody_who_is_not_signed_in(box) -> None:
    async with kiosk(box, signed_in=False) as client:
        assert (await client.get("/api/imports")).status_code == 401
        assert (await client.get("/api/stored")).status_code == 401


async def test_what_instruments_had_stored_is_shown_apart(box) -> None:
    words = ("from_storage", "sequence=7", "taken=2026-03-14T10:00:00")
    reading = Reading("glucose", 95.0, "mg/dL", 1.0, words)
    box.bedside.memory.take("meter", "ble:x", 60.0, reading)
    box.bedside.memory.flush()
    async with kiosk(box) as client:
        (one,) = (await client.get("/api/stored")).json()["readings"]
    taken = datetime.datetime(2026, 3, 14, 9, 59)
    assert (one["device"], one["value"], one["taken"]) == ("meter", 95.0, "2026-03-14T10:00:00")
    assert one["taken_ms"] == round(taken.timestamp() * 1000)


async def test_refused_files_and_a_missing_folder_are_told(box) -> None:
    folder = box.bedside.cart.settings.folder
    (folder / "x.pdf").write_bytes(b"%PDF")
    box.bedside.cart.settings = box.bedside.cart.settings.model_copy(update={"settle_s": 0.0})
    box.bedside.cart.look()
    async with kiosk(box) as client:
        told = (await client.get("/api/imports")).json()
    assert told == {"imports": [], "refused": 1, "problem": "", "watching": True}


async def test_leads_that_were_measured_one_after_the_other_keep_their_places(box) -> None:
    values = EcgBody(1).take(0, 5000)[:3]
    came(box, write_scp(Record(("I", "II", "V1"), values, firsts=(1, 1, 2501))))
    async with kiosk(box) as client:
        visit = await consented(client)
        (one,) = await offered(client)
        capture = (await client.post(f"/api/visits/{visit}/imports", json={"file": one["id"]})).json()
    recording = box.bedside.captures.recording(box.bedside.visits.capture(capture["id"]))
    limbs, chest = recording.waveforms
    assert limbs.values.shape == (2, 5000)
    assert [(gap.first, gap.count) for gap in chest.gaps] == [(0, 2500)]
    assert (chest.values[0, 2500:] == values[2]).all()
    assert not np.any(chest.values[0, :2500])


async def test_after_a_power_cut_the_file_is_still_there(box) -> None:
    came(box, file_of("scp", 1, WHEN, HER))
    async with kiosk(box) as client:
        visit = await consented(client)
        (one,) = await offered(client)
        capture = (await client.post(f"/api/visits/{visit}/imports", json={"file": one["id"]})).json()
        path = box.bedside.captures.path(capture["id"])
        journal = read_journal(path)
        assert journal.source is not None
        torn = path.read_bytes()[: journal.whole_bytes // 2]
        path.write_bytes(torn)
        assert read_journal(path).source is None, "the file stands at the end"
        box.bedside.visits.put_capture(replace(box.bedside.visits.capture(capture["id"]), state="recording"))
        (found,) = box.bedside.captures.recover()
        assert found.problem == "interrupted"
        await client.post(f"/api/captures/{capture['id']}/discard")
        assert [free["id"] for free in await offered(client)] == [one["id"]]


async def test_copies_of_what_was_sent_long_ago_are_deleted(box) -> None:
    came(box, file_of("scp", 1, WHEN, HER))
    imports = box.bedside.cart.imports
    async with kiosk(box) as client:
        visit = await consented(client)
        (one,) = await offered(client)
        capture = (await client.post(f"/api/visits/{visit}/imports", json={"file": one["id"]})).json()
        await client.post(f"/api/captures/{capture['id']}/accept", json={"poor": True})
        later = box.bedside.clock.now_ms() + 1000
        assert imports.drop_used(later) == 0, "the visit is still open"
        box.bedside.visits.move(visit, "closed", box.bedside.visits.get(visit).words)
        assert imports.drop_used(0) == 0
        assert imports.drop_used(later) == 1
        assert not imports.path(one["id"]).exists()
