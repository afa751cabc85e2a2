"""The rules of a visit: consent first, a decision on every recording, nothing sent that is not complete."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from edge_fakes import NAME, Box, ecg_block, make_box, open_box, spo2

from chevet.devices.samples import Event, Reading
from chevet.edge import closing as closing_module
from chevet.edge.errors import DiskFull, Refusal
from chevet.edge.identity import new_id
from chevet.edge.journal import JournalWriter, Opening
from chevet.edge.judge import numbers_mark, steady_values
from chevet.edge.spool import Spool
from chevet.edge.visits import CLOSING, DONE, CaptureRow, Skip
from chevet.exchange.sealing import open_manifest, open_sealed
from chevet.study.bundle import content_hash, unpack
from chevet.study.study import HTEST, Patient, Study


@pytest.fixture
def visit(box: Box) -> str:
    return open_visit(box)


def open_visit(box: Box) -> str:
    box.bedside.patients.add(Patient("p1", NAME, 1974, "F", "A-17"))
    return box.bedside.rules.open("p1", "amina").id


def recorded(
    box: Box, visit: str, step: str = "ecg", *events: Event, seconds: float = 2.0, **place: str
) -> CaptureRow:
    """Lay a finished capture into the visit, as if it had just been recorded."""
    captures = box.bedside.captures
    row = CaptureRow(new_id(), visit, step, place.get("site", ""), place.get("side", ""), step, seconds)
    opening = Opening(
        row.id, visit, step, row.site, row.side, step, "kit-ecg", f"serial:{step}", seconds, 1, 0.0, False
    )
    writer = JournalWriter.create(captures.path(row.id), opening, captures.key)
    for event in events or (ecg_block(0, 1000),):
        writer.append(event)
    writer.close("done")
    box.bedside.visits.put_capture(row)
    return captures._store(row, "")


def agree(box: Box, visit: str) -> None:
    box.bedside.rules.consent(visit, ("care",), "")


def complete(box: Box, visit: str, **words: Any) -> None:
    agree(box, visit)
    box.bedside.rules.write(visit, {"question": "Is this normal?", "specialty": "cardiology"} | words)


def refused(call: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as error:
        call()
    return error.value


def test_one_visit_is_open_at_a_time_and_can_be_resumed(box: Box, visit: str) -> None:
    again = refused(lambda: box.bedside.rules.open("p1", "amina"))
    assert (again.code, again.field) == ("visit_open", visit)
    current = box.bedside.visits.current()
    assert current is not None
    assert current.id == visit
    assert refused(lambda: box.bedside.rules.open("nobody", "amina")).code == "not_found"


async def test_nothing_is_captured_without_consent(box: Box, visit: str) -> None:
    with pytest.raises(Refusal) as error:
        await box.bedside.rules.capture(visit, "ecg", site="", side="", seconds=0, device="")
    assert error.value.code == "no_consent"
    agree(box, visit)
    with pytest.raises(Refusal) as error:
        await box.bedside.rules.capture(visit, "ecg", site="", side="", seconds=0, device="")
    assert error.value.code == "device_absent"
    box.bedside.rules.abandon(visit, "left")
    with pytest.raises(Refusal) as error:
        await box.bedside.rules.capture(visit, "ecg", site="", side="", seconds=0, device="")
    assert error.value.code == "conflict"


def test_consent_to_care_is_what_counts(box: Box, visit: str) -> None:
    assert refused(lambda: box.bedside.rules.consent(visit, ("teaching",), "")).code == "no_consent"
    words = box.bedside.rules.consent(visit, ("care", "teaching"), "Aunt").words
    assert words.consent is not None
    assert (words.consent.purposes, words.consent.witness) == (("care", "teaching"), "Aunt")


def test_a_good_recording_is_accepted_once(box: Box, visit: str) -> None:
    row = recorded(box, visit)
    rules = box.bedside.rules
    assert rules.waiting_capture(visit) == row
    shape = box.bedside.visit(rules.accept(row.id, poor=False, best=None))
    assert [recording["id"] for recording in shape["recordings"]] == [row.id]
    assert shape["capture"] is None
    assert refused(lambda: rules.accept(row.id, poor=False, best=None)).code == "conflict"
    assert refused(lambda: rules.discard(row.id)).code == "conflict"


def test_a_poor_recording_needs_the_worker_s_word_and_says_so(box: Box, visit: str) -> None:
    row = recorded(box, visit, seconds=20.0)
    rules = box.bedside.rules
    assert refused(lambda: rules.accept(row.id, poor=False, best=None)).code == "poor_quality"
    shape = box.bedside.visit(rules.accept(row.id, poor=True, best=None))
    assert shape["recordings"][0]["accepted_poor"] is True
    assert shape["tries"] == {"ecg::": 1}


def test_a_discarded_recording_leaves_no_bytes_and_counts_as_a_try(box: Box, visit: str) -> None:
    rules = box.bedside.rules
    for expected in (1, 2):
        row = recorded(box, visit, "heart_sound", site="M")
        changed = rules.discard(row.id)
        assert changed.words.tries == {"heart_sound:M:": expected}
        assert not box.bedside.captures.path(row.id).exists()
    assert box.bedside.visit(changed)["recordings"] == []


def test_what_was_not_recorded_cannot_be_accepted(box: Box, visit: str) -> None:
    row = CaptureRow(new_id(), visit, "ecg", "", "", "ecg", 10.0, state="failed", problem="no_signal")
    box.bedside.visits.put_capture(row)
    assert refused(lambda: box.bedside.rules.accept(row.id, poor=True, best=None)).code == "no_recording"
    running = CaptureRow(new_id(), visit, "ecg", "", "", "ecg", 10.0)
    box.bedside.visits.put_capture(running)
    assert (
        refused(lambda: box.bedside.rules.accept(running.id, poor=True, best=None)).code == "capture_running"
    )


def test_a_best_picture_must_exist(box: Box, visit: str) -> None:
    row = recorded(box, visit)
    error = refused(lambda: box.bedside.rules.accept(row.id, poor=False, best=3))
    assert (error.code, error.field) == ("invalid", "best")


def test_an_accepted_oximetry_brings_its_steady_numbers_as_vitals(box: Box, visit: str) -> None:
    start = time.monotonic()
    events = [spo2(value, start + at) for at, value in enumerate((80.0, 97.0, 98.0, 97.0), start=1)]
    late = [
        Reading("pulse_rate", 70.0, "/min", start + 14),
        spo2(97.0, start + 14),
        Reading("battery", 9.0, "%", start),
    ]
    row = recorded(box, visit, "oximetry", *events, *late, seconds=5.0)
    visit_now = box.bedside.rules.accept(row.id, poor=False, best=None)
    vitals = {vital.kind: (vital.value, vital.source, vital.recording) for vital in visit_now.words.vitals}
    assert vitals == {"spo2": (97.0, "kit-ecg", row.id), "pulse_rate": (70.0, "kit-ecg", row.id)}


def test_a_finger_out_at_the_end_gives_no_number(box: Box, visit: str) -> None:
    start = time.monotonic()
    row = recorded(box, visit, "oximetry", spo2(97.0, start), spo2(None, start + 20), seconds=5.0)
    visit_now = box.bedside.rules.accept(row.id, poor=True, best=None)
    assert [(vital.kind, vital.value) for vital in visit_now.words.vitals] == [("spo2", None)]


# Typed vitals


def test_typed_vitals_replace_each_other_and_slips_are_caught(box: Box, visit: str) -> None:
    rules = box.bedside.rules
    rules.vital(visit, "temperature", 36.9, "Cel")
    vitals = rules.vital(visit, "temperature", 37.2, "Cel").words.vitals
    assert [(vital.value, vital.source) for vital in vitals] == [(37.2, "manual")]
    slip = refused(lambda: rules.vital(visit, "temperature", 372.0, "Cel"))
    assert (slip.code, slip.status, slip.field) == ("implausible", 422, "value")
    assert refused(lambda: rules.vital(visit, "temperature", 98.6, "[degF]")).field == "unit"
    assert refused(lambda: rules.vital(visit, "mood", 1.0, "1")).field == "kind"


def test_a_skip_is_kept_with_its_reason_and_replaced_by_a_later_one(box: Box, visit: str) -> None:
    box.bedside.rules.skip(visit, Skip("ecg", "", "", "device broken"))
    words = box.bedside.rules.skip(visit, Skip("ecg", "", "", "patient refused")).words
    assert words.skips == (Skip("ecg", "", "", "patient refused"),)


# Sending


def opened(box: Box, case: str) -> Study:
    spool = box.bedside.spool
    found = spool.find(case)
    assert found is not None
    data = spool.pending()[spool.pending_ids().index(case)]
    manifest = open_manifest(data, box.bedside.site.signer.public_key())
    objects = {item.oid: spool.read(found.tid, item.oid, 0, item.size) for item in manifest.objects}
    for key in (box.relay.opener, box.bedside.site.opener):
        bundle = open_sealed(manifest, objects, key)
    assert content_hash(bundle) == box.bedside.cases.get(case).words.sha256
    assert NAME.encode() not in data
    assert not any(NAME.encode() in part for part in objects.values())
    return unpack(bundle)


def test_what_is_missing_is_named_one_after_the_other(box: Box, visit: str) -> None:
    rules = box.bedside.rules
    assert refused(lambda: rules.send(visit)).field == "consent"
    agree(box, visit)
    assert refused(lambda: rules.send(visit)).field == "question"
    rules.write(visit, {"question": "?"})
    assert refused(lambda: rules.send(visit)).field == "specialty"
    rules.write(visit, {"specialty": "ent"})
    row = recorded(box, visit)
    assert refused(lambda: rules.send(visit)).field == "capture"
    rules.discard(row.id)
    assert rules.send(visit).id == visit
    assert refused(lambda: rules.send(visit)).code == "conflict"


def test_a_sent_study_is_in_the_spool_sealed_exact_and_whole(box: Box, visit: str) -> None:
    rules = box.bedside.rules
    rules.accept(recorded(box, visit).id, poor=False, best=None)
    rules.vital(visit, "weight", 61.0, "kg")
    rules.skip(visit, Skip("otoscopy", "", "left", "painful"))
    complete(box, visit, urgency="urgent", red_flags=("chest_pain",), language="ar")
    case = rules.send(visit)
    study = opened(box, case.id)
    assert (study.patient.name, study.urgency, study.language) == (NAME, "urgent", "ar")
    assert (study.recordings[0].waveforms[0].values == ecg_block(0, 1000).values).all()
    assert study.notes == {"skipped:otoscopy::left": "painful", "red_flags": "chest_pain"}
    assert study.label == ""
    report = case.words.recordings[0]
    assert report["raw_bytes"] == 12 * 1000 * 2
    assert report["layer_bytes"]["3"] > report["layer_bytes"]["1"] > 0
    assert box.bedside.visits.current() is None
    assert refused(lambda: rules.write(visit, {"question": "later"})).code == "conflict"


def test_a_training_box_marks_everything(tmp_path_factory: pytest.TempPathFactory) -> None:
    box = make_box(tmp_path_factory.mktemp("b"), label=HTEST)
    visit = open_visit(box)
    complete(box, visit)
    case = box.bedside.rules.send(visit)
    assert opened(box, case.id).label == HTEST
    assert box.bedside.case(case)["simulated"] is True
    box.close()


def test_no_room_in_the_spool_gives_the_draft_back(
    box: Box, visit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(box, visit)

    def full(*_: object) -> bool:
        raise DiskFull

    with monkeypatch.context() as patch:
        patch.setattr(Spool, "put", full)
        assert refused(lambda: box.bedside.rules.send(visit)).code == "disk_full"
    assert box.bedside.visits.get(visit).state == "draft"
    assert box.bedside.rules.send(visit).id == visit


@pytest.mark.parametrize("spooled", [False, True])
def test_a_power_cut_while_closing_is_finished_at_the_next_start(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, spooled: bool
) -> None:
    folder = tmp_path_factory.mktemp("b")
    box = make_box(folder)
    visit = open_visit(box)
    box.bedside.rules.accept(recorded(box, visit).id, poor=False, best=None)
    complete(box, visit)

    class PowerCut(BaseException):
        pass

    def cut(*_: object) -> None:
        raise PowerCut

    with monkeypatch.context() as patch:
        if spooled:
            patch.setattr(type(box.bedside.cases), "add", cut)
        else:
            patch.setattr(closing_module, "pack", cut)
            # The draft is given back on any error; a real cut gives nothing back.
            patch.setattr(type(box.bedside.visits), "move", _only_into_closing(box))
        with pytest.raises(PowerCut):
            box.bedside.rules.send(visit)
    assert box.bedside.visits.get(visit).state == CLOSING
    pending = box.bedside.spool.pending()
    box.close()
    again = open_box(folder, folder / "programme.json", box.relay)
    again.bedside.rules.resume_closing()
    assert again.bedside.visits.get(visit).state == "closed"
    assert again.bedside.cases.get(visit).state == "on_box"
    if spooled:
        assert again.bedside.spool.pending() == pending, "what was spooled is never sealed a second time"
    opened(again, visit)
    again.close()


def _only_into_closing(box: Box) -> Callable[..., None]:
    move = type(box.bedside.visits).move

    def moved(self: Any, visit_id: str, state: str, words: Any) -> None:
        if state == CLOSING:
            move(self, visit_id, state, words)

    return moved


def test_a_study_that_cannot_be_closed_does_not_keep_the_box_from_starting(box: Box, visit: str) -> None:
    row = recorded(box, visit)
    box.bedside.rules.accept(row.id, poor=False, best=None)
    complete(box, visit)
    words = box.bedside.visits.get(visit).words
    box.bedside.visits.move(visit, CLOSING, words)
    box.bedside.captures.delete(row.id)
    box.bedside.rules.resume_closing()
    assert box.bedside.visits.get(visit).state == "draft"


def test_two_taps_at_once_send_once_and_count_once(box: Box, visit: str) -> None:
    rules = box.bedside.rules
    row = recorded(box, visit)

    def both(call: Callable[[], object]) -> list[object]:
        def once(_: int) -> object:
            try:
                return call()
            except Refusal as error:
                return error.code

        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(once, range(4)))

    assert both(lambda: rules.discard(row.id)).count("conflict") == 3
    assert box.bedside.visits.get(visit).words.tries == {"ecg::": 1}
    complete(box, visit)
    assert both(lambda: rules.send(visit)).count("conflict") == 3
    assert len(box.bedside.spool.pending()) == 1


def test_abandoning_deletes_the_recordings(box: Box, visit: str) -> None:
    row = recorded(box, visit)
    box.bedside.rules.abandon(visit, "patient left")
    assert not box.bedside.captures.path(row.id).exists()
    assert box.bedside.visits.get(visit).words.abandoned == "patient left"
    assert refused(lambda: box.bedside.rules.abandon(visit, "")).code == "conflict"
    assert refused(lambda: box.bedside.rules.discard(row.id)).code == "conflict"
    assert row.state == DONE


def test_a_number_from_the_devices_memory_is_no_vital_of_this_visit() -> None:
    live = Reading("spo2", 97.0, "%", 20.0)
    stored = Reading("spo2", 71.0, "%", 20.5, ("from_storage", "taken=2026-01-02T03:04:05"))
    assert steady_values([live, stored]) == {"spo2": (97.0, "%")}
    assert steady_values([stored]) == {}
    mark = numbers_mark([stored])
    assert not mark.usable
    assert "from_storage" in mark.reasons
