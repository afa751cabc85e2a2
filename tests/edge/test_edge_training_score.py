"""Lessons are scored by what the box saw, each check at its limits."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.edge.recorded import Judged
from chevet.edge.training_checks import CHECKS, PASS_AT, Seen, score
from chevet.edge.training_lessons import (
    BRAHIM,
    BY_CODE,
    FATIMA,
    HOMONYM,
    LESSONS,
    PARTS,
    PATIENTS,
    TRAINING_PREFIX,
)
from chevet.edge.visits import ACCEPTED, CLOSED, DRAFT, CaptureRow, Visit, VisitWords
from chevet.study.recording import QualityMark
from chevet.study.study import Consent, Patient, Vital

T0, MINUTE = 1_750_000_000_000, 60_000
GOOD, POOR = QualityMark(1.0, usable=True), QualityMark(0.1, usable=False)


def kept(step: str, place: str = "", *, good: bool = True, poor: bool = False, at: int = 0) -> CaptureRow:
    side = place if place in {"left", "right"} else ""
    judged = Judged(GOOD if good else POOR)
    words: dict[str, Any] = {"started_ms": T0 + at}
    return CaptureRow(
        f"{step}-{place}-{at}", "v", step, place if not side else "", side, "d", 5.0,
        verdict=ACCEPTED, poor=poor, judged=judged, summary=words,
    )  # fmt: skip


def a_visit(patient: Patient = FATIMA, state: str = DRAFT, **words: Any) -> Visit:
    return Visit("v", patient.id, "amina", state, T0, VisitWords(training="a", **words))


def seen(
    lesson: str,
    *captures: CaptureRow,
    visit: Visit | None = None,
    marks: Mapping[str, Sequence[int]] | None = None,
    minutes: float = 1.0,
) -> Seen:
    times = {row.id: row.summary["started_ms"] for row in captures if row.summary}
    now_ms = T0 + round(minutes * MINUTE)
    return Seen(BY_CODE[lesson], T0, now_ms, marks or {}, visit or a_visit(), captures, times)


def done(checked: Seen) -> dict[str, float]:
    steps = checked.lesson.all_steps
    return {f"{s.check}:{s.arg}": value for s, value in zip(steps, score(checked).values, strict=True)}


def test_the_course_has_the_lessons_of_a_training_day_in_order() -> None:
    codes = [lesson.code for lesson in LESSONS]
    assert len(codes) >= 12
    day = [
        "sign_in",
        "danger",
        "identity",
        "consent",
        "oximeter",
        "electrodes",
        "ecg_quality",
        "heart",
        "lungs",
    ]
    assert codes[:9] == day
    assert codes[9:14] == ["otoscope", "vitals", "send", "answer", "power"]
    faults = ["fault_cold", "fault_finger", "fault_swap", "fault_plug", "fault_friction", "fault_ear"]
    assert codes[14:] == [*faults, "whole"]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.code)
def test_every_lesson_can_be_checked_and_needs_something_done(lesson: Any) -> None:
    assert {step.check for step in lesson.all_steps} <= CHECKS.keys()
    assert {step.part for step in lesson.all_steps} <= set(PARTS)
    assert any(step.must for step in lesson.all_steps)
    nothing = Seen(lesson, T0, T0, {})
    assert not score(nothing).passed
    assert score(nothing).points < PASS_AT
    if lesson.question:
        assert lesson.question.right in lesson.question.options


def test_two_of_the_patients_share_a_name_and_nothing_else() -> None:
    assert FATIMA.name == HOMONYM.name
    assert FATIMA.birth_year != HOMONYM.birth_year
    assert FATIMA.local_number != HOMONYM.local_number
    assert all(patient.id.startswith(TRAINING_PREFIX) for patient in PATIENTS)


def test_the_wrong_one_of_two_of_the_same_name_fails_the_lesson() -> None:
    right = seen("identity", visit=a_visit(FATIMA, red_flags=()))
    wrong = seen("identity", visit=a_visit(HOMONYM, red_flags=()))
    assert score(right).passed
    assert score(right).points == 100
    assert not score(wrong).passed
    assert score(wrong).parts["identity"] == 0


@pytest.mark.parametrize(
    ("called", "passed"),
    [("called:chest_pain", True), ("called:stroke", False), ("called:chest_pain,stroke", False)],
)
def test_the_call_must_be_for_the_signs_of_the_case(called: str, passed: bool) -> None:
    marks = {called: [T0 + 5], "answer:call": [T0 + 9]}
    assert score(seen("danger", marks=marks)).passed is passed


def test_a_mark_from_before_the_lesson_does_not_count() -> None:
    marks = {"signed_in": [T0 - 5], "answer:nobody": [T0 + 1]}
    assert done(seen("sign_in", marks=marks))["signed_in:"] == 0.0
    assert score(seen("sign_in", marks=marks | {"signed_in": [T0 - 5, T0 + 5]})).passed


@pytest.mark.parametrize(
    ("purposes", "value"),
    [(("care", "teaching"), 1.0), (("care",), 0.0), (("care", "teaching", "research"), 0.0)],
)
def test_consent_is_what_the_patient_said_no_more_and_no_less(
    purposes: tuple[str, ...], value: float
) -> None:
    visit = a_visit(BRAHIM, consent=Consent(purposes, T0, ""))
    assert done(seen("consent", visit=visit))["consent:care,teaching"] == value


def test_the_first_answer_counts() -> None:
    right_later = {"answer:accept": [T0 + 1], "answer:warm": [T0 + 2]}
    assert done(seen("oximeter", marks=right_later))["answered:cold"] == 0.0
    assert done(seen("oximeter", marks={"answer:warm": [T0 + 2]}))["answered:cold"] == 1.0
    assert done(seen("oximeter", marks={}))["answered:cold"] == 0.0


def test_a_poor_recording_costs_quality_but_is_no_failure_of_the_lesson_on_the_oximeter() -> None:
    marks = {"answer:warm": [T0 + 2]}
    good = score(seen("oximeter", kept("oximetry"), marks=marks))
    poor = score(seen("oximeter", kept("oximetry", good=False, poor=True), marks=marks))
    assert (good.points, good.parts["quality"], good.passed) == (100, 100, True)
    assert poor.parts["quality"] == 0
    assert poor.points < PASS_AT


def test_the_lesson_on_quality_wants_the_last_ecg_good() -> None:
    bad, good = kept("ecg", good=False, poor=True, at=1), kept("ecg", at=2)
    assert done(seen("ecg_quality", bad, good))["clean:ecg"] == 1.0
    assert done(seen("ecg_quality", good, bad))["clean:ecg"] == 0.0
    assert done(seen("ecg_quality"))["clean:ecg"] == 0.0


def test_points_of_the_heart_are_counted_and_their_order_is_judged() -> None:
    places = ["A", "P", "E", "T", "M"]
    rows = [kept("heart_sound", place, at=n) for n, place in enumerate(places)]
    name = "heart_sound:A,P,E,T,M"
    right = done(seen("heart", *rows))
    assert (right[f"recorded:{name}"], right[f"in_order:{name}"]) == (1.0, 1.0)
    swapped = done(seen("heart", rows[1], rows[0], *rows[2:]))
    assert (swapped[f"recorded:{name}"], swapped[f"in_order:{name}"]) == (1.0, pytest.approx(0.6))
    some = done(seen("heart", *rows[:2]))
    assert (some[f"recorded:{name}"], some[f"in_order:{name}"]) == (pytest.approx(0.4), 0.0)
    assert score(seen("heart", *rows)).passed
    assert not score(seen("heart", *rows[:4])).passed


def test_typed_numbers_are_compared_with_the_ones_shown() -> None:
    def typed(value: float, source: str = "manual") -> float:
        vital = Vital("temperature", value, "Cel", source, T0, GOOD)
        return done(seen("vitals", visit=a_visit(vitals=(vital,))))["typed:temperature=38.4"]

    assert typed(38.4) == 1.0
    assert typed(34.8) == 0.0
    assert typed(38.4, "thermometer") == 0.0


def test_sending_wants_question_specialty_and_urgency() -> None:
    words = {"question": "Is this normal?", "specialty": "cardiology", "urgency": "urgent"}
    assert score(seen("send", visit=a_visit(BRAHIM, CLOSED, **words))).passed
    assert not score(seen("send", visit=a_visit(BRAHIM, DRAFT, **words))).passed
    assert not score(seen("send", visit=a_visit(BRAHIM, CLOSED, **words | {"question": "?"}))).passed


def test_the_answer_is_read_before_the_recording_it_asks_for() -> None:
    row = kept("heart_sound", "M", at=10_000)
    sent = a_visit(state=CLOSED)
    assert score(seen("answer", row, visit=sent, marks={"answer_read": [T0 + 1]})).passed
    late = seen("answer", row, visit=sent, marks={"answer_read": [T0 + 20_000]})
    assert done(late)["in_order:answer_first"] == 0.0


def test_after_a_power_cut_the_first_recording_is_still_there() -> None:
    row, sent = kept("oximetry", at=10_000), a_visit(BRAHIM, CLOSED)
    answer = {"answer:go_on": [T0 + 90_000]}
    assert score(
        seen("power", row, visit=sent, marks=answer | {"signed_in": [T0 + 30_000]}, minutes=3)
    ).passed
    early = seen("power", row, visit=sent, marks=answer | {"signed_in": [T0 + 5_000]}, minutes=3)
    assert done(early)["resumed:"] == 0.0
    assert not score(early).passed


def test_a_fault_is_noticed_mended_and_nothing_is_kept_before() -> None:
    fault, mended = {"fault": [T0 + 1]}, {"act:warm": [T0 + 9000], "mended": [T0 + 9000]}
    early, late = kept("oximetry", at=5_000), kept("oximetry", at=20_000)
    good = score(seen("fault_cold", late, marks=fault | mended))
    assert (good.passed, good.points) == (True, 100)
    kept_too_early = seen("fault_cold", early, late, marks=fault | mended)
    assert done(kept_too_early)["noticed:oximetry"] == 0.0
    assert not score(kept_too_early).passed
    guessed = seen("fault_cold", late, marks=fault | mended | {"act:plug": [T0 + 5000]})
    assert done(guessed)["mended:"] == 0.5
    assert score(guessed).passed
    before = seen("fault_cold", late, marks=fault | mended | {"act:plug": [T0]})
    assert done(before)["mended:"] == 1.0, "what the hands tried before anything was wrong is no guess"
    assert not score(seen("fault_cold", late, marks=fault)).passed
    assert done(seen("oximeter", late, marks=mended)).get("mended:") is None


def test_time_is_full_until_the_limit_and_nothing_at_its_double() -> None:
    limit = BY_CODE["identity"].minutes

    def time_of(minutes: float) -> float:
        return done(seen("identity", minutes=minutes))[f"in_time:{limit:g}"]

    assert [time_of(limit * share) for share in (0.5, 1.0, 1.5, 2.0, 9.0)] == pytest.approx([1, 1, 0.5, 0, 0])


@settings(max_examples=50, deadline=None)
@given(
    lesson=st.sampled_from(LESSONS),
    rows=st.lists(
        st.builds(
            kept,
            st.sampled_from(["oximetry", "ecg", "heart_sound", "otoscopy"]),
            st.sampled_from(["", "A", "M", "left", "right"]),
            good=st.booleans(),
            poor=st.booleans(),
            at=st.integers(0, 10_000_000),
        ),
        max_size=8,
    ),
    marks=st.dictionaries(
        st.sampled_from(["signed_in", "answer_read", "called:chest_pain", "answer:call"]),
        st.lists(st.integers(T0 - 10, T0 + 100_000), min_size=1, max_size=3),
    ),
    minutes=st.floats(0, 1e6),
)
def test_a_score_is_always_within_its_range(
    lesson: Any, rows: list[CaptureRow], marks: dict[str, list[int]], minutes: float
) -> None:
    result = score(seen(lesson.code, *rows, marks=marks, minutes=minutes))
    assert 0 <= result.points <= 100
    assert all(0.0 <= value <= 1.0 for value in result.values)
    assert all(0 <= points <= 100 for points in result.parts.values())
    assert not result.passed or result.points >= PASS_AT
