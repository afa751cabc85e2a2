"""The kiosk's API: one form for every error, nothing without a session, nothing from another origin."""

import asyncio
import logging
import struct
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from edge_fakes import NAME, PIN, Box, ecg_block, make_box, sign_in_worker, sound_block, spo2, until
from test_edge_capture import eardrum

from chevet.devices.samples import Event
from chevet.edge.api import make_app
from chevet.edge.identity import new_id
from chevet.edge.sessions import COOKIE, IDLE_S, SESSIONS_AT_MOST, Sessions
from chevet.edge.workers import Worker
from chevet.study.case import Author, Message

HEADER = {"X-Chevet": "1"}


@asynccontextmanager
async def kiosk(box: Box, *, signed_in: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    sign_in_worker(box)
    transport = httpx.ASGITransport(make_app(box.bedside))
    async with httpx.AsyncClient(transport=transport, base_url="http://kiosk", headers=HEADER) as client:
        if signed_in:
            client.cookies.set(COOKIE, box.bedside.sessions.open(Worker("amina", "Amina")))
        yield client


@asynccontextmanager
async def at_work(box: Box) -> AsyncIterator[httpx.AsyncClient]:
    """The kiosk with its devices ready and its captures running."""
    box.bedside.live.follow(box.bedside.instruments)
    tasks = [asyncio.create_task(one.run()) for one in box.bedside.instruments.values()]
    tasks.append(asyncio.create_task(box.bedside.captures.run()))
    for device in box.devices.values():
        device.play(spo2(None, 0.0))
    await until(lambda: all(one.state == "ready" for one in box.bedside.instruments.values()))
    try:
        async with kiosk(box) as client:
            yield client
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def error(answer: httpx.Response) -> tuple[int, str, str | None]:
    words = answer.json()
    assert words.keys() == {"error"}
    assert words["error"].keys() == {"code", "message", "field"}
    assert words["error"]["message"].endswith(".")
    return answer.status_code, words["error"]["code"], words["error"]["field"]


async def visit_of(client: httpx.AsyncClient) -> str:
    person = {"name": NAME, "birth_year": 1974, "sex": "F", "local_number": "A-17"}
    patient = (await client.post("/api/patients", json=person)).json()
    visit = (await client.post("/api/visits", json={"patient": patient["id"]})).json()
    return str(visit["id"])


async def consented(client: httpx.AsyncClient) -> str:
    visit = await visit_of(client)
    await client.put(f"/api/visits/{visit}/consent", json={"purposes": ["care"], "witness": ""})
    return visit


async def recorded(
    client: httpx.AsyncClient, box: Box, visit: str, step: str, *events: Event, **more: Any
) -> dict[str, Any]:
    kind = {"ecg": "ecg", "heart_sound": "stethoscope", "otoscopy": "otoscope", "oximetry": "oximeter"}[step]
    started = await client.post(f"/api/visits/{visit}/captures", json={"step": step, **more})
    assert started.status_code == 201
    box.devices[kind].play(*events)
    capture = started.json()["id"]
    await until(lambda: box.bedside.captures.get(capture).state != "recording")
    found: dict[str, Any] = (await client.get(f"/api/captures/{capture}")).json()
    return found


# Who may


async def test_status_needs_no_sign_in_and_says_how_the_box_is(box: Box) -> None:
    async with kiosk(box, signed_in=False) as client:
        status = (await client.get("/api/status")).json()
        assert status["site"] == {"code": "anfgou", "name": "Anfgou", "phone": "141"}
        assert status["uplink"] == {
            "state": "offline",
            "route": "",
            "last_contact_ms": None,
            "watched": False,
        }
        assert status["queue"] == {"waiting": 0, "travelling": 0, "refused": 0, "unread": 0}
        assert status["workers"] == [{"id": "amina", "name": "Amina"}]
        assert "cardiology" in status["specialties"]
        assert (await client.get("/api/session")).json() == {"worker": None}


async def test_nothing_of_patients_is_told_to_who_is_not_signed_in(box: Box) -> None:
    async with kiosk(box, signed_in=False) as client:
        gets = [
            "devices",
            "visits/current",
            "visits/x",
            "captures/x",
            "captures/x/waveform",
            "cases",
            "cases/x",
        ]
        gets += ["captures/x/sound", "captures/x/picture/0", "cases/x/delivery"]
        for path in gets:
            assert error(await client.get(f"/api/{path}")) == (401, "not_signed_in", None)
        posts = [
            "patients",
            "patients/search",
            "visits",
            "visits/x/skips",
            "visits/x/captures",
            "visits/x/send",
        ]
        posts += [
            "visits/x/abandon",
            "captures/x/stop",
            "captures/x/accept",
            "captures/x/discard",
            "cases/x/read",
        ]
        for path in posts:
            status, code, _ = error(await client.post(f"/api/{path}", json={}))
            assert (status, code) in {(401, "not_signed_in"), (422, "invalid")}


async def test_wrong_pins_are_counted_and_pause(box: Box) -> None:
    async with kiosk(box, signed_in=False) as client:
        for _ in range(5):
            wrong = await client.post("/api/session", json={"worker": "amina", "pin": "0000"})
            assert error(wrong) == (401, "wrong_pin", "pin")
        braked = await client.post("/api/session", json={"worker": "amina", "pin": PIN})
        assert error(braked) == (429, "too_many_attempts", None)


async def test_the_cookie_is_http_only_same_site_and_ends_with_the_session(box: Box) -> None:
    async with kiosk(box, signed_in=False) as client:
        answer = await client.post("/api/session", json={"worker": "amina", "pin": PIN})
        assert answer.json() == {"worker": {"id": "amina", "name": "Amina"}}
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert (await client.get("/api/devices")).status_code == 200
        token = client.cookies["chevet_edge_session"]
        assert (await client.delete("/api/session")).status_code == 204
        client.cookies.set("chevet_edge_session", token)
        assert (await client.get("/api/devices")).status_code == 401


def test_a_session_left_alone_ends_and_there_are_never_too_many() -> None:
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    worker = Worker("a", "A")
    first = sessions.open(worker)
    now[0] = IDLE_S
    assert sessions.find(first) == worker, "use keeps it awake"
    now[0] = 2 * IDLE_S + 1
    assert sessions.find(first) is None
    tokens = []
    for number in range(SESSIONS_AT_MOST + 1):
        now[0] += 0.001 * number
        tokens.append(sessions.open(worker))
    assert sessions.find(tokens[0]) is None
    assert sessions.find(tokens[1]) == worker


async def test_a_page_of_another_origin_changes_nothing(box: Box) -> None:
    async with kiosk(box) as client:
        del client.headers["X-Chevet"]
        for call in (
            client.post("/api/patients", json={"name": "X"}),
            client.delete("/api/session"),
            client.patch("/api/visits/x", json={}),
            client.put("/api/visits/x/consent", json={}),
        ):
            assert error(await call) == (403, "wrong_origin", None)
        assert (await client.get("/api/devices")).status_code == 200


async def test_every_answer_carries_the_security_headers(box: Box) -> None:
    async with kiosk(box) as client:
        for path in ("/", "/api/status", "/api/nothing", "/kiosk/nothing.js"):
            answer = await client.get(path)
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"
        assert (await client.get("/api/status")).headers["cache-control"] == "no-store"
        assert (await client.get("/")).headers["cache-control"] == "no-cache"


# What may be said


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/patients", {"name": "X", "colour": "red"}, "colour"),
        ("/api/patients", {"name": ""}, "name"),
        ("/api/patients", {"name": "X", "birth_year": "1974"}, "birth_year"),
        ("/api/patients", {"name": "X", "sex": "X"}, "sex"),
        ("/api/visits", {}, "patient"),
        ("/api/visits/x/captures", {"step": "dance"}, "step"),
        ("/api/visits/x/captures", {"step": "ecg", "seconds": 1e9}, "seconds"),
        ("/api/visits/x/captures", {"step": "otoscopy", "side": "middle"}, "side"),
        ("/api/visits/x/captures", {"step": "photo", "site": "moon"}, None),
        ("/api/visits/x/skips", {"step": "ecg", "reason": " "}, "reason"),
        ("/api/visits/x/send", {"now": True}, "now"),
    ],
)
async def test_unknown_fields_and_wrong_types_are_named(
    box: Box, path: str, body: Any, field: str | None
) -> None:
    async with kiosk(box) as client:
        assert error(await client.post(path, json=body)) == (422, "invalid", field)


@pytest.mark.parametrize("body", [b'{"name": "Fat', b"", b"\xff\xfe", b"[]", b"null", b"NaN"])
async def test_a_truncated_or_foreign_body_is_refused_in_the_one_form(box: Box, body: bytes) -> None:
    async with kiosk(box) as client:
        answer = await client.post(
            "/api/patients", content=body, headers={"content-type": "application/json"}
        )
        status, code, _ = error(answer)
        assert (status, code) == (422, "invalid")
        assert b"Fat" not in answer.content


async def test_large_bodies_are_refused_declared_or_not(box: Box) -> None:
    async with kiosk(box) as client:
        large = b'{"text": "' + b"x" * 70_000 + b'"}'
        assert error(await client.post("/api/patients/search", content=large)) == (413, "too_large", None)

        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(70):
                yield b"x" * 1000

        assert error(await client.post("/api/patients/search", content=pieces())) == (413, "too_large", None)


async def test_what_does_not_exist_is_said_in_the_one_form(box: Box) -> None:
    async with kiosk(box) as client:
        assert error(await client.get("/api/nothing"))[:2] == (404, "not_found")
        assert error(await client.get("/api/visits/x"))[:2] == (404, "not_found")
        assert error(await client.get("/api/captures/x"))[:2] == (404, "not_found")
        assert error(await client.get("/api/cases/x"))[:2] == (404, "not_found")
        assert error(await client.put("/api/status", json={}))[:2] == (405, "not_allowed")
        assert (await client.get("/api/openapi.json")).json()["info"]["title"] == "Chevet edge"


async def test_an_unexpected_fault_is_answered_and_logged_without_what_it_saw(
    box: Box, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError(NAME)

    async with kiosk(box) as client:
        monkeypatch.setattr(type(box.bedside.patients), "search", broken)
        answer = await client.post("/api/patients/search", json={"text": NAME})
        assert error(answer)[:2] == (500, "internal")
        assert NAME not in answer.text
    assert NAME not in caplog.text
    assert "KeyError at" in caplog.text


# The way of a visit


async def test_a_visit_is_opened_written_and_resumed(box: Box) -> None:
    async with kiosk(box) as client:
        visit = await visit_of(client)
        again = await client.post(
            "/api/visits",
            json={"patient": (await client.get("/api/visits/current")).json()["visit"]["patient"]["id"]},
        )
        assert error(again) == (409, "visit_open", visit)
        words = {"question": "?", "red_flags": ["chest_pain"], "screen": {"step": "ecg"}, "urgency": "urgent"}
        changed = (await client.patch(f"/api/visits/{visit}", json=words)).json()
        assert {key: changed[key] for key in words} == words
        kept = (await client.get("/api/visits/current")).json()["visit"]
        assert kept == changed == (await client.get(f"/api/visits/{visit}")).json()
        assert kept["consent"] is None
        assert kept["specialty"] == ""
        long = await client.patch(f"/api/visits/{visit}", json={"screen": "x" * 5000})
        assert error(long) == (422, "invalid", "screen")
        found = (await client.post("/api/patients/search", json={"text": "benyou"})).json()
        assert [patient["name"] for patient in found["patients"]] == [NAME]


async def test_consent_vitals_and_skips_show_in_the_visit(box: Box) -> None:
    async with kiosk(box) as client:
        visit = await consented(client)
        vital = {"kind": "temperature", "value": 37, "unit": "Cel"}
        shape = (await client.put(f"/api/visits/{visit}/vitals", json=vital)).json()
        assert shape["vitals"][0]["value"] == 37
        assert shape["vitals"][0]["quality"] == {"score": 1.0, "usable": True, "reasons": []}
        slip = await client.put(f"/api/visits/{visit}/vitals", json=vital | {"value": 370})
        assert error(slip) == (422, "implausible", "value")
        skip = {"step": "ecg", "site": "", "side": "", "reason": "refused"}
        shape = (await client.post(f"/api/visits/{visit}/skips", json=skip)).json()
        assert shape["skips"] == [skip]
        assert shape["consent"]["purposes"] == ["care"]


async def test_an_ecg_is_captured_replayed_accepted_and_sent(box: Box) -> None:
    async with at_work(box) as client:
        visit = await consented(client)
        capture = await recorded(client, box, visit, "ecg", ecg_block(0, 300), ecg_block(400, 700), seconds=2)
        assert capture["state"] == "done"
        assert capture["recording"]["samples"] == 1000
        assert capture["recording"]["gaps"] == [[300, 100]]
        wave_frame = (await client.get(f"/api/captures/{capture['id']}/waveform")).content
        length = struct.unpack_from("<H", wave_frame, 2)[0]
        samples = np.frombuffer(wave_frame[4 + length :], "<i2").reshape(12, 1000)
        assert np.array_equal(samples[:, :300], ecg_block(0, 300).values)
        shape = (
            await client.post(f"/api/captures/{capture['id']}/accept", json={"poor": True, "best": None})
        ).json()
        assert shape["recordings"][0]["id"] == capture["id"]
        incomplete = await client.post(f"/api/visits/{visit}/send", json={})
        assert error(incomplete) == (409, "incomplete", "question")
        await client.patch(f"/api/visits/{visit}", json={"question": "Normal?", "specialty": "cardiology"})
        case = (await client.post(f"/api/visits/{visit}/send", json={})).json()["case"]
        assert box.bedside.spooled.is_set()
        [listed] = (await client.get("/api/cases")).json()["cases"]
        assert (listed["id"], listed["state"], listed["initials"]) == (case, "on_box", "FB")
        detail = (await client.get(f"/api/cases/{case}")).json()
        assert detail["question"] == "Normal?"
        assert detail["patient"]["name"] == NAME
        assert detail["recordings"][0]["accepted_poor"] is True
        delivery = (await client.get(f"/api/cases/{case}/delivery")).json()
        assert delivery["recordings"][0]["layer_bytes"]["3"] > 0
        assert (await client.get("/api/status")).json()["queue"]["waiting"] == 1
        assert (await client.post(f"/api/cases/{case}/read")).json()["unread"] is False


async def test_a_heart_sound_replays_as_wav(box: Box) -> None:
    async with at_work(box) as client:
        visit = await consented(client)
        capture = await recorded(
            client, box, visit, "heart_sound", sound_block(0, 12_100), site="M", seconds=3
        )
        answer = await client.get(f"/api/captures/{capture['id']}/sound")
        assert answer.headers["content-type"] == "audio/wav"
        with wave.open(BytesIO(answer.content)) as file:
            assert (file.getframerate(), file.getnframes()) == (4000, 12_000)


async def test_stills_are_served_as_the_camera_made_them(box: Box) -> None:
    async with at_work(box) as client:
        visit = await consented(client)
        frames = [eardrum(8, asyncio.get_running_loop().time() + at) for at in (0.1, 0.5, 1.2)]
        capture = await recorded(client, box, visit, "otoscopy", *frames, side="left", seconds=1)
        picture = await client.get(f"/api/captures/{capture['id']}/picture/0")
        assert picture.headers["content-type"] == "image/jpeg"
        assert picture.content in [frame.data for frame in frames]
        assert error(await client.get(f"/api/captures/{capture['id']}/picture/9"))[0] == 404
        assert error(await client.get(f"/api/captures/{capture['id']}/waveform"))[0] == 404
        accepted = await client.post(f"/api/captures/{capture['id']}/accept", json={"poor": True, "best": 1})
        pictures = accepted.json()["recordings"][0]["pictures"]
        assert [one["best"] for one in pictures] == [place == 1 for place in range(len(pictures))]


async def test_a_running_capture_is_stopped_not_replayed_and_can_be_discarded(box: Box) -> None:
    async with at_work(box) as client:
        visit = await consented(client)
        started = (await client.post(f"/api/visits/{visit}/captures", json={"step": "ecg"})).json()
        assert (started["state"], started["seconds"], started["recording"]) == ("recording", 10.0, None)
        current = (await client.get(f"/api/visits/{visit}")).json()
        assert current["capture"]["id"] == started["id"]
        early = await client.get(f"/api/captures/{started['id']}/waveform")
        assert error(early)[:2] == (409, "capture_running")
        box.devices["ecg"].play(ecg_block(0, 1000))
        await until(lambda: (box.bedside.captures.running() or box.told[-1]).elapsed_s >= 2)
        stopped = (await client.post(f"/api/captures/{started['id']}/stop")).json()
        assert stopped["elapsed_s"] == 2.0
        refused = await client.post(f"/api/captures/{started['id']}/accept", json={"poor": False})
        assert error(refused)[:2] == (409, "poor_quality")
        shape = (await client.post(f"/api/captures/{started['id']}/discard")).json()
        assert shape["tries"] == {"ecg::": 1}
        assert shape["capture"] is None
        gone = await client.get(f"/api/captures/{started['id']}/waveform")
        assert error(gone)[0] == 404
        left = await client.post(f"/api/visits/{visit}/abandon", json={"reason": "left"})
        assert left.status_code == 204
        assert (await client.get("/api/visits/current")).json() == {"visit": None}


async def test_devices_are_listed_with_their_state(box: Box) -> None:
    async with at_work(box) as client:
        devices = (await client.get("/api/devices")).json()["devices"]
        assert {device["id"]: device["state"] for device in devices} == dict.fromkeys(box.devices, "ready")
        assert devices[0]["simulated"] is False


async def test_a_full_disk_refuses_a_capture_with_507(tmp_path: Path) -> None:
    box = make_box(tmp_path, disk_full_mb=1 << 40)
    async with at_work(box) as client:
        visit = await consented(client)
        answer = await client.post(f"/api/visits/{visit}/captures", json={"step": "ecg"})
        assert error(answer)[:2] == (507, "disk_full")
        assert (await client.get("/api/status")).json()["disk"]["level"] == "full"
    box.close()


async def test_an_answer_is_shown_with_whether_it_is_verified(box: Box) -> None:
    async with at_work(box) as client:
        visit = await consented(client)
        await client.patch(f"/api/visits/{visit}", json={"question": "?", "specialty": "ent"})
        case = (await client.post(f"/api/visits/{visit}/send", json={})).json()["case"]
        cases = box.bedside.cases
        cases.keep_opinion(box.relay.opinion(case, forged="text"), verified=False)
        assert not cases.keep_opinion(box.relay.opinion(case), verified=True), "the same id is kept once"
        cases.keep_opinion(box.relay.opinion(case, version=2), verified=True)
        note = Message(new_id(), case, "note", "Thank you", Author("dr", "Dr", "ent"), 1)
        cases.keep_message(note, verified=True)
        assert not cases.keep_message(note, verified=True)
        detail = (await client.get(f"/api/cases/{case}")).json()
        assert detail["state"] == "answered"
        assert [(one["version"], one["verified"]) for one in detail["opinions"]] == [(1, False), (2, True)]
        assert detail["opinions"][1]["author"]["name"] == "Dr Amrani"
        assert "signature" not in detail["opinions"][1]
        assert detail["messages"][0]["text"] == "Thank you"


async def test_logs_never_carry_patient_data(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with at_work(box) as client:
        visit = await consented(client)
        await client.post("/api/patients/search", json={"text": "Fatima"})
        await client.post("/api/patients", json={"name": NAME, "nickname": "Fatima"})
        await client.patch(
            f"/api/visits/{visit}", json={"question": "Zineb has palpitations", "specialty": "ent"}
        )
        capture = await recorded(client, box, visit, "ecg", ecg_block(0, 1000), seconds=2)
        await client.post(f"/api/captures/{capture['id']}/accept", json={"poor": True})
        await client.post(f"/api/visits/{visit}/send", json={})
        await client.get("/api/cases")
    told = caplog.text
    for secret in (NAME, "Fatima", "Benyoussef", "Zineb", "A-17", "1974"):
        assert secret not in told
