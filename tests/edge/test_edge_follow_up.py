"""Follow-up: trends of one patient only, nothing invented between visits, rules at their limits."""

from dataclasses import replace

import pytest
from edge_fakes import Box
from hypothesis import given
from hypothesis import strategies as st
from test_edge_api import kiosk
from test_edge_visit import complete, open_visit

from chevet.edge.follow_up import programmes_of, trends_shape
from chevet.edge.programme_rules import DAY_MS, PROGRAMMES, Point, prompts, weight_gain
from chevet.edge.visits import CLOSED, DRAFT, Visit, VisitWords
from chevet.study.recording import QualityMark
from chevet.study.study import Patient, Vital

GOOD, POOR = QualityMark(1.0, usable=True), QualityMark(0.1, usable=False)


def a_visit(
    day: int, quality: QualityMark = GOOD, history: dict[str, str] | None = None, **vitals: float
) -> Visit:
    at_ms = day * DAY_MS
    words = VisitWords(
        vitals=tuple(Vital(kind, value, "x", "manual", at_ms, quality) for kind, value in vitals.items()),
        history=history or {},
    )
    return Visit(f"v{day}", "p1", "w", CLOSED, at_ms, words)


def codes(programme: str, *visits: Visit) -> list[str]:
    joined = replace(visits[0], words=replace(visits[0].words, history={f"programme.{programme}": "yes"}))
    return [one["code"] for one in trends_shape((joined, *visits[1:]))["prompts"]]


@pytest.mark.parametrize(
    ("first", "second", "days", "told"),
    [(70.0, 72.0, 3, True), (70.0, 71.9, 3, False), (70.0, 73.0, 4, False), (72.0, 70.0, 1, False)],
)
def test_two_kilograms_in_three_days_are_told_and_no_less(
    first: float, second: float, days: int, told: bool
) -> None:
    found = codes("heart_failure", a_visit(1, weight=first), a_visit(1 + days, weight=second))
    assert found == (["weight_gain"] if told else [])


def test_a_gain_is_measured_from_the_lowest_of_the_days() -> None:
    points = [Point(0, 71.0), Point(DAY_MS, 69.8), Point(2 * DAY_MS, 72.0)]
    assert weight_gain(points) == pytest.approx(2.2)
    assert weight_gain(points[:1]) is None
    assert weight_gain([]) is None


@pytest.mark.parametrize(
    ("programme", "vitals", "expected"),
    [
        ("heart_failure", {"spo2": 89.0}, ["spo2_low"]),
        ("heart_failure", {"spo2": 90.0, "systolic": 90.0}, []),
        ("heart_failure", {"systolic": 89.0}, ["pressure_low"]),
        ("hypertension", {"systolic": 180.0, "diastolic": 90.0}, ["pressure_very_high"]),
        ("hypertension", {"systolic": 150.0, "diastolic": 110.0}, ["pressure_very_high"]),
        ("hypertension", {"systolic": 179.0, "diastolic": 109.0}, []),
        ("diabetes", {"glucose": 69.0}, ["glucose_low"]),
        ("diabetes", {"glucose": 70.0}, []),
        ("diabetes", {"glucose": 300.0}, ["glucose_very_high"]),
        ("pregnancy", {"systolic": 140.0, "diastolic": 80.0}, ["pressure_high"]),
        ("pregnancy", {"systolic": 120.0, "diastolic": 110.0}, ["pressure_very_high"]),
        ("pregnancy", {"systolic": 139.0, "diastolic": 89.0}, []),
    ],
)
def test_each_limit_is_where_its_source_puts_it(
    programme: str, vitals: dict[str, float], expected: list[str]
) -> None:
    assert codes(programme, a_visit(1, **vitals)) == expected


def test_pressure_above_the_target_is_told_at_the_second_visit_in_a_row() -> None:
    high, fine = {"systolic": 145.0, "diastolic": 80.0}, {"systolic": 138.0, "diastolic": 80.0}
    assert codes("hypertension", a_visit(1, **high), a_visit(30, **high)) == ["pressure_high"]
    assert codes("hypertension", a_visit(1, **high), a_visit(30, **fine)) == []
    assert codes("hypertension", a_visit(1, **fine), a_visit(30, **high)) == []


def test_signs_of_today_are_told_and_those_of_last_time_are_not() -> None:
    before = a_visit(1, history={"symptom.headache": "yes", "programme.pregnancy": "yes"})
    today = a_visit(9, history={"symptom.vision": "yes", "symptom.headache": "no"})
    shape = trends_shape((before, today))
    assert [(one["code"], one["kind"]) for one in shape["prompts"]] == [("symptom", "vision")]
    assert shape["symptoms"][-1] == {
        "visit": "v9", "at_ms": 9 * DAY_MS, "there": ["vision"], "denied": ["headache"],
    }  # fmt: skip


def test_poor_numbers_are_no_trend_and_nobody_is_in_a_programme_unasked() -> None:
    shape = trends_shape((a_visit(1, weight=70.0), a_visit(2, POOR, weight=80.0)))
    assert [one["value"] for one in shape["trends"]["weight"]] == [70.0]
    assert shape["prompts"] == shape["programmes"] == []


def test_the_newest_word_on_a_programme_counts() -> None:
    joined = a_visit(1, history={"programme.diabetes": "yes", "programme.hypertension": "yes"})
    left = a_visit(2, history={"programme.diabetes": "no"})
    assert programmes_of((joined, left)) == ["hypertension"]


@given(
    st.lists(st.tuples(st.integers(0, 10**12), st.floats(0, 500)), max_size=8),
    st.sampled_from(PROGRAMMES),
    st.sampled_from(("weight", "systolic", "diastolic", "glucose", "spo2")),
)
def test_every_prompt_names_its_limit_and_source(
    points: list[tuple[int, float]], programme: str, kind: str
) -> None:
    series = {kind: [Point(at, value) for at, value in sorted(points)]}
    for prompt in prompts([programme], series, ["swelling"]):
        assert prompt.source
        assert prompt.programme == programme
        assert prompt.code == "symptom" or prompt.kind == kind


async def test_trends_are_of_this_patient_and_this_box(box: Box) -> None:
    for weight in (70.0, 72.5):
        visit = open_visit(box) if weight == 70.0 else box.bedside.rules.open("p1", "amina").id
        complete(box, visit, history={"programme.heart_failure": "yes"})
        box.bedside.rules.vital(visit, "weight", weight, "kg")
        box.bedside.rules.send(visit)
    box.bedside.patients.add(Patient("p2", "Other", 1980, "M"))
    other = box.bedside.rules.open("p2", "amina").id
    async with kiosk(box) as client:
        nobody = (await client.get(f"/api/visits/{other}/trends")).json()
        assert (nobody["visits"], nobody["trends"]) == (1, {})
        box.bedside.rules.abandon(other, "")
        here = box.bedside.rules.open("p1", "amina")
        assert here.state == DRAFT
        shape = (await client.get(f"/api/visits/{here.id}/trends")).json()
    assert [one["value"] for one in shape["trends"]["weight"]] == [70.0, 72.5]
    assert [(one["code"], one["days"], one["source"]) for one in shape["prompts"]] == [
        ("weight_gain", 3, "ESC HF 2021")
    ]
