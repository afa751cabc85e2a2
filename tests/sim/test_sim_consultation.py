"""The conductor against rooms that keep the contract, and against rooms that fail."""

import importlib.util
import json
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn

from chevet.sim import cli, consultation
from chevet.sim.consultation import Plan, Step
from chevet.sim.errors import SimError
from chevet.sim.report import Report, table, write
from chevet.sim.screens import read_wave

spec = importlib.util.spec_from_file_location("fake_rooms", Path(__file__).with_name("fake_rooms.py"))
fake_rooms = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fake_rooms)

STEPS = (
    Step("oximetry", "oximeter", 0.1, driver="nonin-df2"),
    Step("ecg", "ecg", 0.1),
    Step("heart_sound", "stethoscope", 0.1, site="A"),
    Step("otoscopy", "otoscope", 0.1, side="left", condition="wax"),
)


class Stage:
    """Both rooms on real ports, in a thread; every test gets them with its own faults."""

    def __init__(self):
        self.rooms = fake_rooms.Rooms()
        self.urls, self._servers, self._threads = [], [], []
        for app in (fake_rooms.kiosk(self), fake_rooms.desk(self)):
            sock = socket.create_server(("127.0.0.1", 0))
            self.urls.append(f"http://127.0.0.1:{sock.getsockname()[1]}")
            config = uvicorn.Config(app, log_level="error", lifespan="off", ws="websockets-sansio")
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
            thread.start()
            self._servers.append(server)
            self._threads.append(thread)

    def close(self):
        for server in self._servers:
            server.force_exit = server.should_exit = True
        for thread in self._threads:
            thread.join(30)


@pytest.fixture(scope="module")
def stage():
    stage = Stage()
    yield stage
    stage.close()


@pytest.fixture
def rooms_with(stage):
    def make(*faults):
        stage.rooms = fake_rooms.Rooms(set(faults))
        return stage.rooms, Plan(*stage.urls, "amina", "2580", "k.amrani", "secret", steps=STEPS)

    return make


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch):
    monkeypatch.setattr(consultation, "POLL_S", 0.02)
    monkeypatch.setattr(consultation, "CAMERA_TURNS_S", 0.0)


async def test_a_whole_consultation_is_conducted_and_reported(rooms_with, tmp_path, capsys):
    rooms, plan = rooms_with("draft")
    assert await consultation.run(plan, tmp_path / "report.json") == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["ok"] is True
    assert [(row["step"], row["exact"]) for row in report["recordings"]] == [
        (step.step, True) for step in STEPS
    ]
    study = report["study"]
    assert [study[f"{name}_s"] for name in ("summary", "preview", "diagnostic", "lossless")] == [
        0.4,
        0.6,
        0.9,
        1.3,
    ]
    assert (study["receipt_s"], study["bytes_up"], study["bytes_down"]) == (1.5, 9000, 120)
    assert report["opinion"]["verified"] is True
    assert report["live"]["ecg"]["samples"] == 100
    assert report["live"]["oximeter"]["readings"] == {"spo2": 97}
    said = capsys.readouterr().out
    assert "heart_sound A" in said
    assert "Hashes equal at both ends: yes" in said
    assert "oximeter spo2 97" in said
    assert "POST /api/visits/old/abandon" in rooms.calls
    assert f"POST /api/cases/{fake_rooms.CASE}/read" in rooms.calls


async def test_poor_recordings_are_sent_marked_poor(rooms_with, capsys):
    _, plan = rooms_with("poor")
    assert await consultation.run(plan) == 0
    assert "0.20 poor mains_hum" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("fault", "step", "says"),
    [
        ("capture_fails", "oximetry", "the recording failed (link_lost)"),
        ("no_live", "live", "broke off"),
        ("silent_live", "live", "no wave frame"),
        ("incomplete", "question and send", "the kiosk refused: A specialty is missing."),
        ("relay_refuses", "receipt", "the relay refused the study (bad_hash)"),
        ("other_hash", "receipt", "another hash"),
        ("empty_inbox", "reading at the desk", "not in the specialist's inbox"),
        ("lost_recording", "reading at the desk", "3 of 4 recordings arrived"),
        ("other_samples", "reading at the desk", "differs from the one recorded"),
        ("desk_breaks", "opinion", "the desk answered 500"),
        ("forged", "opinion", "verified signature"),
    ],
)
async def test_a_failed_step_is_one_sentence_and_a_non_zero_exit(
    rooms_with, tmp_path, capsys, fault, step, says
):
    _, plan = rooms_with(fault)
    assert await consultation.run(plan, tmp_path / "report.json") == 1
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["ok"] is False
    assert report["error"]["step"] == step
    assert says in report["error"]["sentence"]
    assert says in capsys.readouterr().err


async def test_a_device_that_does_not_come_is_not_waited_for_without_end(
    rooms_with, tmp_path, capsys, monkeypatch
):
    _, plan = rooms_with("absent")
    monkeypatch.setattr(consultation, "READY_WITHIN_S", 0.5)
    assert await consultation.run(plan, tmp_path / "report.json") == 1
    error = json.loads((tmp_path / "report.json").read_text())["error"]
    assert (error["step"], "not done within" in error["sentence"]) == ("devices", True)
    assert "The consultation failed at devices" in capsys.readouterr().err


async def test_a_wrong_pin_and_a_missing_room_are_said_plainly(rooms_with, capsys):
    _, plan = rooms_with()
    assert await consultation.run(replace(plan, pin="0000")) == 1
    assert "That PIN is wrong" in capsys.readouterr().err
    assert await consultation.run(replace(plan, desk="http://127.0.0.1:9")) == 1
    assert "the desk at http://127.0.0.1:9 does not answer" in capsys.readouterr().err


async def test_instruments_are_moved_through_the_control_socket(rooms_with, monkeypatch):
    moved = []

    async def set_fault(_path, target, fault, *, on=True, value=""):
        moved.append((target, fault, on, value))

    monkeypatch.setattr(consultation, "set_fault", set_fault)
    _, plan = rooms_with()
    assert await consultation.run(replace(plan, control=Path("control.sock"))) == 0
    assert ("stethoscope", "site", True, "A") in moved
    assert moved.count(("otoscope", "ear", True, "left:wax")) == 2  # drawn ahead, then shown


async def test_no_simulator_behind_the_control_socket_fails_the_step(rooms_with, capsys, tmp_path):
    _, plan = rooms_with()
    assert await consultation.run(replace(plan, control=tmp_path / "none.sock")) == 1
    assert "chevet-sim serve" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(SimError, match="cannot write the report"):
        write(Report("k", "d"), tmp_path / "missing" / "report.json")


def test_an_empty_report_still_makes_a_table():
    assert "The whole consultation took 0.0 s." in table(Report("k", "d"))


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\x02\x01\x00\x00",
        b"\x01\x01\xff\x00{}",
        b"\x01\x01\x20\x00" + b'{"count": 2, "channels": [{}]}  ',
    ],
)
def test_what_is_no_wave_frame_is_refused(frame):
    with pytest.raises(ValueError, match="wave frame"):
        read_wave(frame)


def test_the_command_hands_its_words_to_the_conductor(monkeypatch):
    seen = []

    async def run(plan, report):
        seen.append((plan, report))
        return 0

    monkeypatch.setattr(consultation, "run", run)
    words = ["--kiosk", "http://k", "--desk", "http://d", "--worker", "w", "--pin", "1"]
    assert cli.main(["consult", *words, "--specialist", "s", "--password", "p", "--json", "r.json"]) == 0
    assert seen == [(Plan("http://k", "http://d", "w", "1", "s", "p"), Path("r.json"))]
