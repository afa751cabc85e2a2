import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.devices.ecg_leads import LeadContacts, twelve_leads, without_contact
from chevet.devices.startup import Startup, Step

STEPS = (Step(b"stop", 0.5, answered=False), Step(b"who", 1.0), Step(b"go", 1.0))


def test_steps_follow_each_other_when_answered():
    one = Startup(STEPS)
    assert one.begin() == b"stop"
    assert [one.due(at) for at in (0.0, 0.25, 0.5)] == [b"", b"", b"who"]
    assert one.waiting_for == b"who"
    assert one.answered(b"who")
    assert one.due(0.75) == b"go"
    assert not one.answered(b"who"), "an answer to a repeat"
    assert one.answered(b"go")
    assert one.done
    assert one.waiting_for == b""


def test_an_answer_before_anything_was_said_is_none():
    one = Startup(STEPS[1:])
    assert not one.answered(b"who")
    assert one.due(0.0) == b"who"


def test_what_is_not_answered_is_repeated_and_then_begun_again():
    one = Startup(STEPS, patience=2)
    one.begin()
    said = [word for step in range(40) if (word := one.due(step / 4))]
    assert said[:5] == [b"who", b"who", b"stop", b"who", b"who"]


def test_a_device_that_streams_needs_nothing_until_it_falls_silent():
    one = Startup(STEPS, silent_s=2.0)
    one.begin()
    one.hear(5.0)
    assert one.due(6.9) == b""
    assert one.due(7.1) == b"stop"
    assert not one.done


def test_a_refusal_is_waited_out():
    one = Startup(STEPS)
    one.begin()
    one.pause(1.0, 5.0)
    assert [one.due(at) for at in (2.0, 5.9, 6.0)] == [b"", b"", b"stop"]


def test_steps_without_answer_at_the_end_finish_by_themselves():
    one = Startup((Step(b"a", 0.5, answered=False),))
    assert one.begin() == b"a"
    assert [one.due(at) for at in (0.0, 0.6)] == [b"", b""]
    assert one.done


@settings(max_examples=50)
@given(st.lists(st.integers(-(2**23), 2**23 - 1), min_size=8, max_size=8))
def test_derived_leads_keep_einthovens_and_goldbergers_laws(column):
    one, two = column[:2]
    leads = twelve_leads(np.array(column, np.int32)[:, np.newaxis])[:, 0].tolist()
    assert leads[:3] == [one, two, two - one]
    assert abs(2 * leads[3] + one + two) <= 1
    assert abs(2 * leads[4] - 2 * one + two) <= 1
    assert abs(2 * leads[5] - 2 * two + one) <= 1
    assert leads[6:] == column[2:]


@pytest.mark.parametrize(
    ("off", "expected"),
    [(set(), set()), ({"V3"}, {"V3"}), ({"I"}, {"I", "III", "aVR", "aVL", "aVF"})],
)
def test_derived_leads_say_nothing_without_those_they_come_from(off, expected):
    assert without_contact(off) == expected


def test_contacts_are_told_once_and_again_after_forgetting():
    contacts = LeadContacts(("I", "II"))
    assert [one.detail for one in contacts.tell({"II", "I"}, 1.0)] == ["I", "II"]
    assert contacts.tell({"II", "I"}, 2.0) == []
    assert [(one.detail, one.on) for one in contacts.tell({"I"}, 3.0)] == [("II", False)]
    contacts.forget()
    assert [one.on for one in contacts.tell({"I"}, 4.0)] == [True]
