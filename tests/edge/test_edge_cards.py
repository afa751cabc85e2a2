"""Cards say a record and nothing else; a scan that went wrong is nobody; a coded person has no name here."""

from uuid import UUID

import numpy as np
import pytest
from edge_fakes import NAME, Box
from hypothesis import given, settings
from hypothesis import strategies as st
from test_edge_api import error, kiosk

from chevet.edge.identity import new_id
from chevet.edge.patient_card import CODE_LETTERS, LETTERS, card_rows, card_text, new_code, read_card
from chevet.study.study import Patient


@given(st.uuids())
@settings(max_examples=50)
def test_a_card_says_its_record_in_letters_that_every_keyboard_shares(patient: UUID) -> None:
    text = card_text(str(patient))
    assert set(text) <= set(LETTERS + "TX")
    assert read_card(f" {text.lower()}\n") == str(patient)


@given(st.uuids(), st.integers(2, 35), st.integers(1, 15))
@settings(max_examples=50)
def test_a_letter_read_wrongly_is_nobodys_card(patient: UUID, place: int, by: int) -> None:
    text = card_text(str(patient))
    wrong = LETTERS[(LETTERS.index(text[place]) + by) % 16]
    assert read_card(text[:place] + wrong + text[place + 1 :]) is None


@given(st.text(max_size=60))
@settings(max_examples=50)
def test_any_other_text_is_no_card(text: str) -> None:
    assert read_card(text) is None


def test_the_code_is_a_square_that_a_reader_can_read() -> None:
    cv2 = pytest.importorskip("cv2")
    text = card_text("01a0c450-7e8a-7a51-b1d0-d95c09822e45")
    rows = card_rows(text)
    assert all(len(row) == len(rows) for row in rows)
    dark = np.array([[int(one) for one in row] for row in rows], dtype=np.uint8)
    square = np.pad(1 - dark, 4, constant_values=1).astype(np.uint8) * 255
    sizes = [np.kron(square, np.ones((size, size), np.uint8)) for size in (5, 7, 8, 10, 12)]
    read = {cv2.QRCodeDetector().detectAndDecode(picture)[0] for picture in sizes}
    assert read - {""} == {text}, "some sizes are not found by this reader, none is read wrongly"


def test_a_coded_name_is_no_word_and_needs_chance() -> None:
    name = new_code(bytes(range(6)))
    assert name == "Code 234-567"
    assert not set("AEIOUY01") & set(CODE_LETTERS)
    with pytest.raises(ValueError, match="random"):
        new_code(b"abc")


async def test_a_scanned_card_finds_its_patient_and_a_strangers_none(box: Box) -> None:
    patient = Patient(new_id(), NAME, 1974, "F", "A-17")
    box.bedside.patients.add(patient)
    box.bedside.patients.add(Patient("p-old", NAME, 1974, "F"))
    async with kiosk(box) as client:
        card = (await client.post("/api/patients/card", json={"patient": patient.id})).json()
        assert NAME not in str(card)
        found = await client.post("/api/patients/scan", json={"text": card["text"]})
        assert found.json()["name"] == NAME
        stranger = await client.post("/api/patients/scan", json={"text": card_text(new_id())})
        assert error(stranger)[:2] == (404, "not_found")
        other = await client.post("/api/patients/scan", json={"text": "4006381333931"})
        assert error(other)[:2] == (422, "not_a_card")
        assert error(await client.post("/api/patients/card", json={"patient": "p-old"}))[:2] == (
            404,
            "not_found",
        )


async def test_a_coded_person_is_found_by_the_code_alone(box: Box) -> None:
    async with kiosk(box) as client:
        made = (await client.post("/api/patients/coded", json={"birth_year": 1980, "sex": "M"})).json()
        assert made["name"].startswith("Code ")
        found = (await client.post("/api/patients/search", json={"text": made["name"][5:]})).json()
        assert [one["id"] for one in found["patients"]] == [made["id"]]
        client.cookies.clear()
        assert (await client.post("/api/patients/coded", json={})).status_code == 401
