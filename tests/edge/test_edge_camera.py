"""Any camera reads a patient's card and takes a photograph that stays on the box."""

from pathlib import Path

import numpy as np
import pytest
from edge_fakes import NAME, Box
from hypothesis import given, settings
from hypothesis import strategies as st
from test_edge_api import error, kiosk
from test_edge_capture import eardrum as eardrum_at

from chevet.bridge.opencv_codes import WIDEST, read_qr
from chevet.devices.samples import Picture
from chevet.edge.identity import new_id
from chevet.edge.patient_card import card_rows, card_text, is_coded, new_code
from chevet.edge.patients import Patients
from chevet.edge.store import open_store
from chevet.study.study import Patient

cv2 = pytest.importorskip("cv2")
CAMERA = "otoscope"


def eardrum() -> bytes:
    return eardrum_at(4, 0.0).data


def card_before_a_camera(text: str, *, width: int = 640, turned: float = 0.0) -> bytes:
    """A card held before a camera: small in the picture, a little blurred, maybe turned."""
    dark = np.array([[int(one) for one in row] for row in card_rows(text)], np.uint8)
    square = np.kron(np.pad(1 - dark, 4, constant_values=1), np.ones((6, 6), np.uint8)) * 215
    height = width * 3 // 4
    picture = np.full((height, width), 90, np.uint8)
    y, x = (height - square.shape[0]) // 2, (width - square.shape[1]) // 2
    picture[y : y + square.shape[0], x : x + square.shape[1]] = square
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), turned, 1.0)
    picture = cv2.GaussianBlur(cv2.warpAffine(picture, turn, (width, height), borderValue=90), (3, 3), 0)
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 70])[1].tobytes())


@pytest.mark.parametrize(("width", "turned"), [(640, 0.0), (640, 12.0), (WIDEST, 0.0)])
def test_a_card_is_read_from_a_cameras_picture(width: int, turned: float) -> None:
    text = card_text("01a0c450-7e8a-7a51-b1d0-d95c09822e45")
    assert read_qr(card_before_a_camera(text, width=width, turned=turned)) == text


@given(st.binary(max_size=200))
@settings(max_examples=50)
def test_bytes_that_are_no_picture_hold_no_code(data: bytes) -> None:
    assert read_qr(data) == ""


def test_an_ear_is_no_card() -> None:
    assert read_qr(eardrum()) == ""


def show(box: Box, jpeg: bytes) -> None:
    box.bedside.live.follow(box.bedside.instruments)
    box.bedside.live.offer(CAMERA, Picture(jpeg, "image/jpeg", 0.0))


async def test_a_card_held_before_the_otoscope_finds_its_patient(box: Box) -> None:
    patient = Patient(new_id(), NAME, 1974, "F", "A-17")
    box.bedside.patients.add(patient)
    async with kiosk(box) as client:
        nothing = await client.post("/api/patients/look", json={"device": CAMERA})
        assert error(nothing) == (503, "device_absent", "device")
        show(box, eardrum())
        assert (await client.post("/api/patients/look", json={"device": CAMERA})).json() == {"patient": None}
        show(box, card_before_a_camera(card_text(patient.id)))
        found = await client.post("/api/patients/look", json={"device": CAMERA})
        assert found.json()["patient"]["name"] == NAME
        show(box, card_before_a_camera(card_text(new_id())))
        assert error(await client.post("/api/patients/look", json={"device": CAMERA}))[0] == 404


async def test_a_photograph_is_kept_shown_and_forgotten(box: Box) -> None:
    patient = Patient(new_id(), NAME, 1974, "F", "A-17")
    coded = Patient(new_id(), new_code(bytes(6)), None, "")
    box.bedside.patients.add(patient)
    box.bedside.patients.add(coded)
    async with kiosk(box) as client:
        at = f"/api/patients/{patient.id}/photo"
        assert (await client.get(at)).status_code == 404
        show(box, b"no picture")
        assert error(await client.put(at, json={"device": CAMERA}))[1] == "device_absent"
        show(box, eardrum())
        assert (await client.put(at, json={"device": CAMERA})).status_code == 204
        shown = await client.get(at)
        assert (shown.content, shown.headers["content-type"]) == (eardrum(), "image/jpeg")
        refused = await client.put(f"/api/patients/{coded.id}/photo", json={"device": CAMERA})
        assert error(refused)[:2] == (409, "conflict")
        assert (await client.delete(at)).status_code == 204
        assert (await client.get(at)).status_code == 404


def test_a_photograph_survives_the_power(tmp_path: Path) -> None:
    Patients(open_store(tmp_path / "edge.db"), lambda: 0).keep_photo("p1", b"\xff\xd8\xff jpeg")
    again = Patients(open_store(tmp_path / "edge.db"), lambda: 0)
    assert again.photo("p1") == b"\xff\xd8\xff jpeg"
    assert again.photo("p2") is None


def test_only_a_code_is_a_code() -> None:
    assert is_coded(new_code(bytes(range(6))))
    assert not is_coded("Code Rouge")
