"""The printed ECG, measured on its paper: scale, pulse, filter, gaps, words."""

import re
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.devices.samples import Channel
from chevet.relay.printing.ecg import Print, Subject, print_ecg
from chevet.relay.printing.ecg_layout import sheet
from chevet.relay.printing.text import ARABIC, PLAIN, register_fonts, runs, width
from chevet.relay.reading.waves import STANDARD
from chevet.study.recording import Gap, Measurement, QualityMark, Recording, Waveform
from chevet.study.study import Patient

from .conftest import NOON

MM = 72 / 25.4
HOW = Print("3x4", "standard", 25, 10, "raw", "en", NOON)
PATIENT = Patient("p", "Fatima Bouzid", 1972, "F", "2231")


def square_wave(seconds=4, names=("I", "II", *STANDARD[6:])):
    """1 mV for 200 ms in every second, in every lead; so II - I is flat and the others are known."""
    on = (np.arange(500 * seconds) % 500) < 100
    rows = np.tile((on * 1000).astype(np.int16), (len(names), 1))
    return Waveform(tuple(Channel(name, "mV", 500.0, 0.001) for name in names), rows)


def subject(**changes):
    one = Recording("r", "ecg", "kit-ecg", "serial", NOON, 10.0, QualityMark(0.9, True))
    return Subject(PATIENT, "Anfgou", replace(one, **changes), ())


def content(pdf):
    """What each page draws, as the PDF says it."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            found.append(zlib.decompressobj().decompress(stream).decode("latin-1"))
        except zlib.error:
            continue
    return [text for text in found if " re" in text or " m" in text]


def polylines(page):
    """Every stroked line as points in mm of paper."""
    found, line = [], []
    for x, y, verb in re.findall(r"(-?[\d.]+) (-?[\d.]+) ([ml])\b", page):
        if verb == "m" and line:
            found.append(np.array(line))
            line = []
        line.append((float(x) / MM, float(y) / MM))
    found.append(np.array(line))
    return found


def traces(page):
    return [line for line in polylines(page) if len(line) > 100]


def pulses(page):
    return [line for line in polylines(page) if len(line) == 6]


@pytest.mark.parametrize(("speed", "gain"), [(25, 10), (50, 20), (25, 5)])
def test_a_millivolt_and_a_second_have_their_length_on_paper(speed, gain):
    how = replace(HOW, layout="12x1", speed_mm_s=speed, gain_mm_mv=gain)
    page = content(print_ecg(square_wave(), subject(), how))[0]
    assert len(pulses(page)) == 12
    for pulse in pulses(page):
        assert np.ptp(pulse[:, 1]) == pytest.approx(gain, rel=0.005)
        assert pulse[3, 0] - pulse[2, 0] == pytest.approx(0.2 * speed, rel=0.005)
    lead = traces(page)[0]
    low, high = lead[:, 1].min(), lead[:, 1].max()
    assert high - low == pytest.approx(gain, rel=0.005)
    rises = lead[1:][np.diff(lead[:, 1]) > 0.8 * gain, 0]
    assert np.diff(rises) == pytest.approx(np.full(len(rises) - 1, speed), rel=0.005)


def test_the_paper_is_a4_across_and_the_grid_is_in_millimetres():
    pdf = print_ecg(square_wave(), subject(), HOW)
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", pdf)
    assert [float(side) / MM for side in box.groups()] == pytest.approx([297, 210], abs=0.05)
    upright = sorted(
        {
            round(line[0, 0], 3)
            for line in polylines(content(pdf)[0])
            if len(line) == 2 and abs(line[0, 0] - line[1, 0]) < 1e-6 and abs(line[0, 1] - line[1, 1]) > 100
        }
    )
    assert np.diff(upright) == pytest.approx(np.ones(len(upright) - 1), abs=0.003)


def test_a_pulse_stands_in_each_row_of_each_page():
    pages = content(print_ecg(square_wave(seconds=30, names=("II", "V2")), subject(), HOW))
    assert [len(pulses(page)) for page in pages] == [2, 2, 2]


def test_no_line_bridges_a_gap():
    wave = replace(square_wave(names=("II",)), gaps=(Gap(1000, 250),))
    found = traces(content(print_ecg(wave, subject(), HOW))[0])
    assert len(found) == 2
    before, after = found[0], found[1]
    assert after[0, 0] - before[-1, 0] == pytest.approx(251 / 500 * 25, rel=0.005)


def test_cabrera_turns_avr_and_follows_the_angles():
    one = sheet(STANDARD, "6x2", "cabrera", 25.0, 0.0)
    assert [panel.name for panel in one.panels[:6]] == ["aVL", "I", "−aVR", "II", "aVF", "III"]
    plain = traces(content(print_ecg(square_wave(), subject(), replace(HOW, layout="6x2")))[0])
    turned = traces(
        content(print_ecg(square_wave(), subject(), replace(HOW, layout="6x2", order="cabrera")))[0]
    )
    # aVR of this wave falls by 1 mV in each pulse; -aVR rises by as much.
    assert plain[3][:, 1].argmin() == turned[2][:, 1].argmax()
    assert np.ptp(turned[2][:, 1]) == pytest.approx(10, rel=0.005)


def test_other_leads_than_the_twelve_have_a_row_each():
    one = sheet(("ECG",), "3x4", "standard", 25.0, 0.0)
    assert [(panel.lead, panel.seconds) for panel in one.panels] == [("ECG", 10.0)]


@pytest.mark.parametrize("language", ["fr", "ar", "en", "zgh"])
@pytest.mark.parametrize("filter_", ["diagnostic", "monitor", "raw"])
def test_every_language_and_filter_gives_a_page(language, filter_):
    drafts = (Measurement("qtc_fridericia", 408.0, "ms", "F"), Measurement("qt", None, "ms", "m"))
    who = Subject(
        replace(PATIENT, name="فاطمة Bouzid (2)"),
        "Anfgou",
        subject(measurements=drafts, simulated=True, quality=QualityMark(0.1, False)).recording,
        ("RA/LA",),
    )
    pdf = print_ecg(square_wave(), who, replace(HOW, language=language, filter=filter_))
    assert pdf.startswith(b"%PDF-")
    assert len(content(pdf)) == 1


def test_a_raw_lead_far_from_zero_is_drawn_in_its_row():
    wave = square_wave(names=("II",))
    far = replace(wave, values=wave.values.astype(np.int32) + 300_000)
    lead = traces(content(print_ecg(far, subject(), HOW))[0])[0]
    assert 0 < lead[:, 1].min() < 210


def test_too_short_to_filter_is_drawn_raw():
    wave = square_wave(names=("II",))
    short = replace(wave, values=wave.values[:, :300])
    assert traces(content(print_ecg(short, subject(), replace(HOW, filter="diagnostic")))[0])


def test_arabic_is_joined_and_stands_from_right_to_left():
    register_fonts()
    found = runs("سنة 1972 (a)", PLAIN)
    assert [font for font, _ in found] == [PLAIN, ARABIC]
    assert "1972" in found[0][1]
    assert found[1][1][-1] != "س", "the first letter has the form that joins"
    assert width("سنة", 10) > 0


@given(st.text(max_size=40))
@settings(max_examples=50, deadline=None)
def test_any_name_can_be_printed(text):
    register_fonts()
    assert all(font in {PLAIN, ARABIC} for font, _ in runs(text, PLAIN))
    assert width(text, 9) >= 0
