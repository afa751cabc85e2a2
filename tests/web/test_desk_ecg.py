"""ECG on millimetre paper as a reader meets it: scale, calipers, filter, layers, direction."""

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from relay_desk.cases_for_desk import earlier_visit, ident
from relay_desk.desk_browser import (  # noqa: F401 - fixtures
    chromium,
    desk_opener,
    fresh_relay,
    profiles,
    running_fake,
    screenshots,
)
from relay_desk.fake_relay import FakeRelay

pytestmark = pytest.mark.web

WHOLE, ARRIVING = ident(256), ident(512)
ECG = f"#/case/{WHOLE}/ecg"
CALIBRATE = """() => localStorage.setItem('chevet.screen-scale',
  JSON.stringify({screen: `${screen.width}x${screen.height}@${devicePixelRatio}`, px_per_mm: 4}))"""

# Finds the pulse in the pixels of the first row's start, knowing only the colour of the trace.
FIND_PULSE = """paper => {
  const canvas = paper.shadowRoot.querySelector('canvas');
  const ratio = devicePixelRatio, mm = paper.scale.px_per_mm * ratio;
  const [width, height] = [Math.round((7 + 0.2 * paper.speed_mm_s) * mm), Math.round(34 * mm)];
  const {data} = canvas.getContext('2d').getImageData(0, 0, width, height);
  const dark = (x, y) => data[4 * (y * width + x)] < 110 && data[4 * (y * width + x) + 1] < 110;
  const tops = [], bottoms = [];
  for (let x = 0; x < width; x++) {
    const rows = Array.from({length: height}, (_, y) => y).filter(y => dark(x, y));
    tops.push(rows.length ? rows[0] : null);
    bottoms.push(rows.length ? rows.at(-1) : null);
  }
  const top = Math.min(...tops.filter(y => y !== null));
  const plateau = tops.map((y, x) => [y, x]).filter(([y]) => y !== null && y - top <= 1).map(([, x]) => x);
  const line = Math.max(1.1 * ratio, 0.32 * mm);
  const foot = Math.max(...bottoms.filter(y => y !== null));
  const [x0, x1] = [plateau[0] + line / 2, plateau.at(-1) + 1 - line / 2];
  return {x0, x1, y0: foot + 1 - line / 2, y1: top + line / 2, ratio, scale: paper.scale.px_per_mm};
}"""
DRAWN_AT = """width => new Promise(done => {
  const settled = () => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)));
  const look = () => innerWidth === width ? settled() : requestAnimationFrame(look);
  look();
})"""


def paper(page: Page) -> Any:
    found = page.locator("ecg-paper")
    expect(found).to_be_visible()
    expect(found).to_have_attribute("data-facts", re.compile("mm/s"))
    return found


def choose(page: Page, label: str, option: str) -> None:
    page.locator(".tools").get_by_label(label).select_option(option)


def caliper(page: Page) -> dict[str, float]:
    read: dict[str, float] = page.evaluate("document.querySelector('ecg-paper').caliper")
    return read


@pytest.mark.parametrize("sharp", [1, 2])
def test_the_pulse_on_the_canvas_is_one_millivolt_high_and_200_ms_wide(
    open_desk: Callable[..., Page], sharp: float
) -> None:
    page = open_desk(ECG, sharp=sharp)
    paper(page)
    choose(page, "Size", "true")
    for speed, gain in ((25, 10), (50, 20), (25, 5)):
        choose(page, "Speed", str(speed))
        choose(page, "Gain", str(gain))
        scale = page.evaluate("document.querySelector('ecg-paper').scale.px_per_mm")
        pulse = paper(page).evaluate(FIND_PULSE)
        width_mm = (pulse["x1"] - pulse["x0"]) / pulse["ratio"] / scale
        height_mm = (pulse["y0"] - pulse["y1"]) / pulse["ratio"] / scale
        pixel_mm = 1 / sharp / scale
        assert width_mm / speed * 1000 == pytest.approx(200, abs=1.5 * pixel_mm / speed * 1000)
        assert height_mm / gain == pytest.approx(1.0, abs=1.5 * pixel_mm / gain)


MARCHED = """() => {
  const paper = document.querySelector('ecg-paper'), over = paper.shadowRoot.querySelector('.over');
  const span = paper.caliper, scale = paper.scale.px_per_mm * devicePixelRatio;
  const y = Math.round(((span.y0_mm + span.y1_mm) / 2) * scale), apart = (span.x1_mm - span.x0_mm) * scale;
  const rows = over.getContext('2d').getImageData(0, y - 4, over.width, 8).data; // the lines are dashed
  const at = (x, n) => rows[4 * (n * over.width + x) + 3];
  const ink = (x) => x > (span.x1_mm + 1) * scale && [...Array(8).keys()].some((n) => at(x, n) > 90);
  const lines = [...Array(over.width).keys()].filter((x) => ink(x) && !ink(x - 1));
  return [lines, apart];
}"""


def test_calipers_by_keyboard_read_the_pulse_exactly_and_say_it(open_desk: Callable[..., Page]) -> None:
    page = open_desk(ECG)
    paper(page).locator(".sheet").focus()
    page.keyboard.press("Enter")
    read = caliper(page)
    assert read["ms"] == pytest.approx(200, abs=1e-6)
    assert read["mv"] == pytest.approx(1.0, abs=1e-9)
    expect(page.locator("ecg-paper [role=status]")).to_have_text("200 ms · 300 /min · 1.00 mV")
    page.keyboard.press("Shift+ArrowRight")
    assert caliper(page)["ms"] == pytest.approx(400, abs=1e-6)
    page.get_by_role("button", name="March out").click()
    lines, apart_px = page.evaluate(MARCHED)
    assert [b - a for a, b in pairwise(lines)] == pytest.approx([apart_px] * (len(lines) - 1), abs=1.01)
    assert len(lines) > 20  # 10 mm apart over the whole page
    paper(page).locator(".sheet").focus()
    page.keyboard.press("Escape")
    assert caliper(page) is None


def test_calipers_by_mouse_measure_what_is_drawn(
    open_desk: Callable[..., Page], shot: Callable[..., Any]
) -> None:
    page = open_desk(ECG, sharp=2)
    pulse = paper(page).evaluate(FIND_PULSE)
    box = page.locator("ecg-paper canvas").first.bounding_box()
    assert box is not None
    at = {
        name: box["x" if name[0] == "x" else "y"] + value / 2
        for name, value in pulse.items()
        if name not in {"ratio", "scale"}
    }
    page.mouse.move(at["x0"], at["y0"])
    page.mouse.down()
    page.mouse.move(at["x1"], at["y1"], steps=5)
    page.mouse.up()
    assert caliper(page)["ms"] == pytest.approx(200, abs=12)
    assert caliper(page)["mv"] == pytest.approx(1.0, abs=0.06)
    shot(page, "caliper")


def test_no_resize_and_no_zoom_moves_what_was_measured(open_desk: Callable[..., Page]) -> None:
    page = open_desk(ECG)
    paper(page).locator(".sheet").focus()
    page.keyboard.press("Enter")
    before = caliper(page)
    for width in (1600, 900, 1200):
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate(DRAWN_AT, width)
        assert caliper(page) == before
        pulse = paper(page).evaluate(FIND_PULSE)
        scale = pulse["scale"]
        assert (pulse["x1"] - pulse["x0"]) / scale == pytest.approx(5, abs=1.5 / scale)


def test_paper_says_not_to_scale_until_the_screen_was_measured(open_desk: Callable[..., Page]) -> None:
    page = open_desk(ECG)
    assert "not to scale" in paper(page).evaluate("p => p.dataset.facts")
    page.get_by_role("button", name="Calibrate screen").click()
    page.get_by_label("Size").last.fill("4")
    page.get_by_role("button", name="That is its size").click()
    assert "not to scale" in page.evaluate("document.querySelector('ecg-paper').dataset.facts")
    choose(page, "Size", "true")
    facts = page.evaluate("document.querySelector('ecg-paper').dataset.facts")
    assert "not to scale" not in facts
    assert "true scale" in facts
    assert page.evaluate("document.querySelector('ecg-paper').scale.px_per_mm") == 4


def test_another_screen_or_zoom_makes_the_paper_say_not_to_scale_again(
    open_desk: Callable[..., Page],
) -> None:
    page = open_desk(ECG)
    paper(page)
    page.evaluate(CALIBRATE.replace("devicePixelRatio}`", "devicePixelRatio + 1}`"))
    choose(page, "Size", "true")
    assert "not to scale" in page.evaluate("document.querySelector('ecg-paper').dataset.facts")


def test_preview_is_labelled_and_cannot_be_measured(
    open_desk: Callable[..., Page], shot: Callable[..., Any]
) -> None:
    page = open_desk(f"#/case/{ARRIVING}/ecg")
    assert paper(page).evaluate("p => p.dataset.facts").startswith("preview, not for measurement")
    box = paper(page).bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 80)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 80)
    page.mouse.up()
    assert caliper(page) is None
    expect(page.locator("ecg-paper .reason")).to_contain_text("No measuring on a preview")
    shot(page, "preview")


def test_the_full_data_take_the_previews_place_as_they_arrive(
    open_desk: Callable[..., Page], relay: FakeRelay
) -> None:
    page = open_desk(f"#/case/{ARRIVING}/ecg")
    assert not paper(page).evaluate("p => p.measurable")
    page.get_by_role("button", name="Ask for full data now").click()
    expect(page.get_by_text("it goes before others")).to_be_visible()
    for part in relay.cases[ARRIVING]["recordings"][0]["layers"].values():
        part["have"] = part["total"]
    relay.tell_soon({"type": "case", "id": ARRIVING})
    expect(page.locator("ecg-paper")).to_have_attribute("data-facts", re.compile("^not to scale"))
    assert paper(page).evaluate("p => p.measurable")


def test_arabic_mirrors_the_page_but_never_the_ecg(
    open_desk: Callable[..., Page], shot: Callable[..., Any]
) -> None:
    pictures = {}
    for language in ("en", "ar"):
        page = open_desk(ECG, language=language)
        paper(page)
        assert page.evaluate("document.documentElement.dir") == ("rtl" if language == "ar" else "ltr")
        # All rows of the paper above its foot, which is in the reader's language.
        pictures[language] = page.evaluate("""() => {
          const canvas = document.querySelector('ecg-paper').shadowRoot.querySelector('canvas');
          const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height - 40).data;
          let sum = 0; for (let i = 0; i < data.length; i += 4) sum = (sum * 31 + data[i]) % 2147483647;
          return [canvas.width, sum];
        }""")
        shot(page, f"ecg-{language}")
    assert pictures["ar"] == pictures["en"]


def test_filter_is_printed_zero_phase_and_leaves_stored_samples_alone(open_desk: Callable[..., Page]) -> None:
    page = open_desk(ECG)
    paper(page)
    stored = page.evaluate(
        "Array.from(document.querySelector('ecg-paper').wave.leads[1].values.slice(0, 50))"
    )
    for choice, said in (
        ("monitor", "0.5–40 Hz (view)"),
        ("raw", "raw, unfiltered"),
        ("diagnostic", "0.05–150 Hz"),
    ):
        choose(page, "Filter", choice)
        assert said in page.evaluate("document.querySelector('ecg-paper').dataset.facts")
    assert (
        page.evaluate("Array.from(document.querySelector('ecg-paper').wave.leads[1].values.slice(0, 50))")
        == stored
    )
    peaks = page.evaluate("""async () => {
      const {filterLead} = await import('/shared/instruments/ecg-paper-wave.js');
      const wave = document.querySelector('ecg-paper').wave;
      const peak = values => {
        let best = 500;
        for (let i = 500; i < 900; i++) if (values[i] > values[best]) best = i;
        return best;
      };
      const lead = wave.leads[1].values;
      return [lead, ...['diagnostic', 'monitor'].map(name => filterLead(lead, 500, [], name))].map(peak);
    }""")
    assert max(peaks) - min(peaks) <= 1


def test_a_raw_lead_far_from_zero_is_drawn_around_its_middle_and_says_so(
    open_desk: Callable[..., Page],
) -> None:
    page = open_desk(ECG)
    paper(page)
    facts, median, untouched = page.evaluate("""async () => {
      const {centredLead} = await import('/shared/instruments/ecg-paper-wave.js');
      const paper = document.querySelector('ecg-paper');
      const near = paper.wave.leads[1].values;
      const leads = paper.wave.leads.map(({name, values}) => ({name, values: values.map(v => v + 300)}));
      paper.wave = {...paper.wave, leads};
      paper.setAttribute('filter', 'raw');
      const centred = centredLead(leads[1].values, [[0, 100]]).slice(100).sort();
      return [paper.dataset.facts, centred[centred.length >> 1], centredLead(near, []) === near];
    }""")
    assert "raw, unfiltered, drawn around its middle" in facts
    assert abs(median) < 1e-3
    assert untouched


def test_filters_pass_and_stop_what_they_say(open_desk: Callable[..., Page]) -> None:
    page = open_desk(ECG)
    gains = page.evaluate("""async () => {
      const {filterLead} = await import('/shared/instruments/ecg-paper-wave.js');
      const size = (name, hz) => {
        const sine = Float32Array.from({length: 20000}, (_, i) => Math.sin(2 * Math.PI * hz * i / 500));
        const out = filterLead(sine, 500, [], name).slice(5000, 15000);
        return Math.sqrt(out.reduce((sum, v) => sum + v * v, 0) / out.length * 2);
      };
      const [wide, view] = [hz => size('diagnostic', hz), hz => size('monitor', hz)];
      return {pass: wide(10), edge: wide(150), low: view(0.5), view: view(40), stop: view(120)};
    }""")
    assert gains["pass"] == pytest.approx(1, abs=0.005)
    assert gains["edge"] == pytest.approx(0.707, abs=0.03)
    assert gains["low"] == pytest.approx(0.707, abs=0.03)
    assert gains["view"] == pytest.approx(0.707, abs=0.03)
    assert gains["stop"] < 0.03


def test_a_gap_is_drawn_as_a_gap(
    open_desk: Callable[..., Page], relay: FakeRelay, shot: Callable[..., Any]
) -> None:
    relay.gaps = [[2600, 300]]
    page = open_desk(ECG)
    paper(page)
    hatched = page.evaluate("""() => {
      const paper = document.querySelector('ecg-paper'), {px_per_mm: mm, page} = paper.scale;
      const panel = page.panels.at(-1), ctx = paper.shadowRoot.querySelector('canvas').getContext('2d');
      const at = s => (panel.x_mm + s * 25) * mm;
      const dark = (from, to) => {
        const top = (panel.y_mm - 14) * mm;
        const d = ctx.getImageData(at(from), top, at(to) - at(from), 28 * mm).data;
        let n = 0;
        for (let i = 0; i < d.length; i += 4) if (d[i] < 60 && d[i + 2] < 60) n++;
        return n;
      };
      return [dark(5.25, 5.75), dark(4.4, 5.1)];
    }""")
    assert hatched[0] == 0
    assert hatched[1] > 20
    shot(page, "gap")


def test_every_layout_shows_every_lead_at_the_same_speed(
    open_desk: Callable[..., Page], shot: Callable[..., Any]
) -> None:
    page = open_desk(ECG)
    paper(page)
    for layout, panels in (("3x4", 13), ("6x2", 12), ("12x1", 12)):
        choose(page, "Layout", layout)
        found = page.evaluate("document.querySelector('ecg-paper').scale.page.panels")
        assert len(found) == panels
        assert {panel["lead"] for panel in found} >= {"I", "II", "III", "aVR", "aVL", "aVF", "V1", "V6"}
        shot(page, f"layout-{layout}")


def test_draft_measurements_are_called_drafts_and_name_their_method(open_desk: Callable[..., Page]) -> None:
    page = open_desk(ECG)
    drafts = page.locator(".drafts")
    expect(drafts).to_contain_text("draft")
    corrected = drafts.locator(".draft", has_text="QTc Fridericia")
    expect(corrected).to_contain_text("408 ms")
    expect(corrected).to_have_attribute("title", "Fridericia, median QT and RR")
    expect(drafts.locator(".draft", has_text="ST V2")).to_be_hidden()
    drafts.get_by_text("All drafts (2 more)").click()
    expect(drafts.locator(".draft", has_text="ST V2")).to_contain_text("0.04 mV")


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
def test_a_carts_own_file_is_one_link_away_once_it_is_here(
    open_desk: Callable[..., Page], relay: FakeRelay, shot: Callable[..., Any], language: str
) -> None:
    relay.recording(WHOLE, ident(257))["source"] = {"media_type": "application/dicom", "bytes": 81_234}
    page = open_desk(ECG, language=language)
    paper(page)
    link = page.locator(".under a[download]")
    shot(page, f"cart-file-{language}")
    with page.expect_download() as saving:
        link.click()
    assert saving.value.suggested_filename == "HTEST-ecg-original.dcm"
    assert saving.value.path().read_bytes()[128:] == b"DICM"


def test_a_carts_own_file_that_is_still_travelling_is_announced(
    open_desk: Callable[..., Page], relay: FakeRelay
) -> None:
    relay.recording(ARRIVING, ident(513))["source"] = {"media_type": "application/dicom", "bytes": 81_234}
    page = open_desk(f"#/case/{ARRIVING}/ecg")
    expect(page.locator(".under").last).to_contain_text(
        "The original file from the cart (82 kB) is on its way"
    )
    expect(page.locator(".under a[download]")).to_have_count(0)


def test_cabrera_turns_avr_and_stands_beside_every_layout(open_desk: Callable[..., Page]) -> None:
    page = open_desk(ECG)
    paper(page)
    choose(page, "Order", "cabrera")
    for layout in ("12x1", "6x2", "3x4"):
        choose(page, "Layout", layout)
        panels = page.evaluate("document.querySelector('ecg-paper').scale.page.panels")
        assert [panel["lead"] for panel in panels[:6]] == ["aVL", "I", "aVR", "II", "aVF", "III"]
        assert [panel["sign"] for panel in panels[:4]] == [1, 1, -1, 1]
        assert panels[6]["lead"] == "V1"


def test_a_leads_name_brings_it_nearer_and_the_calipers_still_hold(
    open_desk: Callable[..., Page], shot: Callable[..., Any]
) -> None:
    page = open_desk(ECG)
    paper(page)
    place = page.evaluate("""() => {
      const {px_per_mm, page} = document.querySelector('ecg-paper').scale;
      const panel = page.panels.find(one => one.lead === 'V2');
      const y_mm = panel.y_mm - Math.min(10, page.row_mm * 0.36) - 1;
      return {x: (panel.x_mm + 3) * px_per_mm, y: y_mm * px_per_mm};
    }""")
    page.locator("ecg-paper canvas").last.click(position=place)
    expect(page.locator("ecg-paper")).to_have_attribute("lead", "V2")
    assert "50 mm/s, 20 mm/mV" in page.evaluate("document.querySelector('ecg-paper').dataset.facts")
    panels = page.evaluate("document.querySelector('ecg-paper').scale.page.panels")
    assert [(panel["lead"], panel["from_s"]) for panel in panels] == [("V2", 0), ("V2", 5)]
    page.locator("ecg-paper .sheet").focus()
    page.keyboard.press("Enter")
    assert (caliper(page)["ms"], caliper(page)["mv"]) == (pytest.approx(200), pytest.approx(1.0))
    shot(page, "lead-near")
    page.get_by_role("button", name="Back to all leads").click()
    expect(page.locator("ecg-paper")).not_to_have_attribute("lead", "V2")
    assert "25 mm/s, 10 mm/mV" in page.evaluate("document.querySelector('ecg-paper').dataset.facts")


def test_draft_marks_are_drawn_only_when_asked_and_called_a_draft(
    open_desk: Callable[..., Page], relay: FakeRelay, shot: Callable[..., Any]
) -> None:
    relay.swaps = [{"electrodes": ["RA", "LA"], "confidence": 0.8}]
    page = open_desk(ECG)
    expect(page.get_by_text("These electrodes seem swapped: RA/LA.")).to_be_visible()
    blue = """() => {
      const canvas = document.querySelector('ecg-paper').shadowRoot.querySelector('canvas');
      const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height - 40);
      let n = 0;
      for (let i = 0; i < data.length; i += 4) if (data[i + 2] > data[i] + 60 && data[i] < 90) n++;
      return n;
    }"""
    assert page.evaluate(blue) == 0
    page.get_by_role("button", name="Draft marks").click()
    expect(page.locator("ecg-paper")).to_have_attribute("data-facts", re.compile("marks: automatic draft"))
    assert page.evaluate(blue) > 200
    shot(page, "marks")


def test_an_earlier_ecg_stands_below_at_the_same_scale(
    open_desk: Callable[..., Page], relay: FakeRelay, shot: Callable[..., Any]
) -> None:
    page = open_desk(ECG, size="phone")
    paper(page)
    page.get_by_role("button", name="Earlier ECG").click()
    expect(page.get_by_text("No earlier ECG of this patient from this site.")).to_be_visible()
    relay.earlier = [earlier_visit(20, 90), earlier_visit(21, 400)]
    page = open_desk(ECG)
    paper(page)
    choose(page, "Layout", "6x2")
    choose(page, "Gain", "20")
    page.get_by_role("button", name="Earlier ECG").click()
    expect(page.locator(".earlier ecg-paper")).to_have_attribute("data-facts", re.compile("20 mm/mV"))
    scales = page.evaluate("[...document.querySelectorAll('ecg-paper')].map(one => one.scale.px_per_mm)")
    assert scales[0] == scales[1]
    expect(page.locator(".earlier .chip[aria-pressed]")).to_have_count(2)
    shot(page, "ecg-earlier")


def test_qtc_follows_the_readers_calipers_with_its_formula_named(open_desk: Callable[..., Page]) -> None:
    page = open_desk(ECG)
    paper(page)
    result = page.locator(".qt-result")
    expect(result).to_contain_text("QTc Fridericia 417 ms")
    expect(result).to_contain_text("draft")
    keep = page.get_by_role("button", name="Keep calipers as QT")
    expect(keep).to_be_disabled()
    page.locator("ecg-paper .sheet").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+ArrowRight")
    expect(keep).to_be_enabled()
    keep.click()
    page.locator("ecg-paper .sheet").focus()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    page.get_by_role("button", name="Keep calipers as RR").click()
    # QT 400 ms, RR 1000 ms: at 60 beats a minute every formula leaves QT as it is
    for formula in ("Bazett", "Framingham", "Hodges", "Fridericia"):
        page.get_by_label("Formula").select_option(formula.lower())
        expect(result).to_contain_text(f"QTc {formula} 400 ms")
    told = page.evaluate("""async () => {
      const {correctedQt} = await import('/desk/qt.js');
      return ['fridericia', 'bazett', 'framingham', 'hodges'].map(name => correctedQt(name, 400, 640));
    }""")
    assert told == pytest.approx([464.2, 500.0, 455.4, 459.1], abs=0.1)
    expect(result).to_contain_text("by your calipers")


def test_the_page_to_print_is_asked_for_as_the_screen_shows_it(open_desk: Callable[..., Page]) -> None:
    page = open_desk(ECG, language="ar")
    paper(page)
    page.locator(".tools select").nth(1).select_option("cabrera")
    link = page.locator("a.flip")
    expect(link).to_have_attribute(
        "href", re.compile(r"/print\?layout=3x4&order=cabrera&speed=25&gain=10&.*language=ar")
    )
    expect(link).to_have_attribute("target", "_blank")
