"""Sounds and ears as a reader meets them."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from relay_desk.cases_for_desk import earlier_visit, ident, photographs
from relay_desk.desk_browser import (  # noqa: F401 - fixtures
    chromium,
    desk_opener,
    fresh_relay,
    profiles,
    running_fake,
    screenshots,
)
from relay_desk.fake_relay import FakeRelay
from waiting import until_true

pytestmark = pytest.mark.web

WHOLE, ARRIVING = ident(256), ident(512)
SOUNDS, EARS = f"#/case/{WHOLE}/heart", f"#/case/{WHOLE}/ears"


def state(page: Page, tag: str = "sound-player") -> dict[str, Any]:
    read: dict[str, Any] = page.locator(tag).first.evaluate("one => one.state")
    return read


def loaded(page: Page) -> None:
    expect(page.locator("sound-player .time")).to_contain_text("8.0 s")


def test_sound_is_loaded_drawn_and_shows_its_length(
    open_desk: Callable[..., Page], shot: Callable[..., Any]
) -> None:
    page = open_desk(SOUNDS)
    loaded(page)
    assert state(page)["duration_s"] == pytest.approx(8.0, abs=0.01)
    amber = page.locator("sound-player").evaluate("""player => {
      const canvas = player.shadowRoot.querySelector('.still');
      const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let n = 0;
      for (let i = 0; i < data.length; i += 4) if (data[i] > 200 && data[i + 2] < 140) n++;
      return n / (data.length / 4);
    }""")
    assert amber > 0.005
    shot(page, "sound")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_headphones_are_tested_once_a_session_before_anything_plays(
    open_desk: Callable[..., Page], shot: Callable[..., Any]
) -> None:
    page = open_desk(SOUNDS)
    loaded(page)
    press(page, "Play")
    expect(page.get_by_role("alert")).to_contain_text("Put on headphones")
    assert not state(page)["playing"]
    press(page, "Start the test")
    for _ in range(3):
        expect(page.get_by_role("alert")).to_contain_text("Where was the low tone?")
        press(page, state(page)["ear_test"].capitalize())
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    assert state(page)["hearing"] == "headphones"
    expect(page.get_by_text("Not tested on headphones")).to_be_hidden()
    press(page, "Pause")
    page.locator(".sounds body-map [data-site=M]").click()
    loaded(page)
    press(page, "Play")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


def test_who_hears_it_elsewhere_is_warned_for_the_whole_session(open_desk: Callable[..., Page]) -> None:
    page = open_desk(SOUNDS)
    loaded(page)
    press(page, "Play")
    press(page, "Start the test")
    expect(page.get_by_role("alert")).to_contain_text("Where was the low tone?")
    press(page, {"left": "Right", "right": "Left"}[state(page)["ear_test"]])
    expect(page.get_by_role("alert")).to_contain_text("probably a loudspeaker")
    assert not state(page)["playing"]
    press(page, "Listen anyway")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.locator(".sounds body-map [data-site=M]").click()
    expect(page.get_by_text("Not tested on headphones: low sounds may be missing")).to_be_visible()


def coloured(page: Page, red: int, green: int, blue: int) -> int:
    """How many pixels of the still picture are about this colour."""
    found: int = page.locator("sound-player").evaluate(
        """(player, [red, green, blue]) => {
      const canvas = player.shadowRoot.querySelector('.still');
      const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let n = 0;
      for (let i = 0; i < data.length; i += 4) {
        const far = Math.abs(data[i] - red) + Math.abs(data[i + 1] - green) + Math.abs(data[i + 2] - blue);
        if (far < 40) n++;
      }
      return n;
    }""",
        [red, green, blue],
    )
    return found


def test_drafts_and_what_was_recorded_with_the_sound_are_drawn_when_asked(
    open_desk: Callable[..., Page], relay: FakeRelay, shot: Callable[..., Any]
) -> None:
    relay.recording(WHOLE, ident(258))["streams"] = [
        {"unit": "1", "rate_hz": 4000, "names": ["sound"]},
        {"unit": "mV", "rate_hz": 500, "names": ["II"]},
    ]
    page = open_desk(SOUNDS)
    loaded(page)
    letters, pink, violet, lane = (127, 217, 255), (255, 123, 172), (196, 181, 253), (43, 213, 118)
    page.wait_for_function("() => document.querySelector('sound-player').overlay.states")
    page.wait_for_function("() => document.querySelector('sound-player').overlay.lanes.length === 1")
    assert coloured(page, *letters) > 20
    assert coloured(page, *lane) > 100
    assert (coloured(page, *pink), coloured(page, *violet)) == (0, 0)
    press(page, "Murmur envelope")
    press(page, "Room noise")
    expect(page.locator(".cycle figcaption")).to_contain_text(
        "draft Murmur envelope from S1 to S1, median of 9"
    )
    assert coloured(page, *pink) > 100
    assert coloured(page, *violet) > 50
    press(page, "S1 and S2")
    assert coloured(page, *letters) == 0
    shot(page, "sound-drafts")


def test_the_lungs_are_heard_without_the_heart_and_labelled_as_such(open_desk: Callable[..., Page]) -> None:
    page = open_desk(SOUNDS)
    loaded(page)
    press(page, "Half speed")
    press(page, "Without the heart")
    expect(page.locator("sound-player .layer").first).to_have_text(
        "Heart taken out, for listening to the lungs only"
    )
    assert state(page)["rate"] == 0.5
    press(page, "Without the heart")
    expect(page.locator("sound-player .layer").first).to_be_hidden()


def test_half_speed_loop_and_filters_say_what_is_heard(open_desk: Callable[..., Page]) -> None:
    page = open_desk(SOUNDS)
    loaded(page)
    assert state(page)["filter"] == "wide"
    page.get_by_role("button", name="Half speed").click()
    page.get_by_role("button", name="Loop").click()
    page.get_by_role("button", name="Bell").click()
    now = state(page)
    assert (now["rate"], now["looping"], now["filter"]) == (0.5, True, "bell")
    assert now["keeps_pitch"]
    expect(page.get_by_role("button", name="Bell")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Wide")).to_have_attribute("aria-pressed", "false")


def test_dragging_marks_the_stretch_that_loops_and_a_tap_moves_the_cursor(
    open_desk: Callable[..., Page],
) -> None:
    page = open_desk(SOUNDS)
    loaded(page)
    box = page.locator("sound-player .moving").bounding_box()
    assert box is not None
    x = [box["x"] + 58 + (box["width"] - 64) * share for share in (0.25, 0.5)]
    y = box["y"] + 40
    page.mouse.move(x[0], y)
    page.mouse.down()
    page.mouse.move(x[1], y, steps=4)
    page.mouse.up()
    span = state(page)["span"]
    assert span["from_s"] == pytest.approx(2, abs=0.1)
    assert span["to_s"] == pytest.approx(4, abs=0.1)
    page.mouse.click(x[1], y)
    assert state(page)["span"] is None
    assert state(page)["at_s"] == pytest.approx(4, abs=0.1)


def test_touching_a_point_of_the_body_changes_the_sound(open_desk: Callable[..., Page]) -> None:
    page = open_desk(SOUNDS)
    expect(page.locator("sound-player")).to_have_attribute("point", "A · Aortic area")
    page.locator(".sounds body-map [data-site=M]").click()
    expect(page.locator("sound-player")).to_have_attribute("point", "M · Apex, mitral area")
    expect(page.locator(".rec-head .reasons")).to_have_text("The room is too noisy.")


def test_lung_points_stand_on_the_front_and_the_back_of_the_body(
    open_desk: Callable[..., Page], relay: FakeRelay
) -> None:
    for rid, site in ((258, "Ar"), (259, "Bl")):
        relay.recording(WHOLE, ident(rid)).update(step="lung_sound", site=site)
    page = open_desk(SOUNDS)
    expect(page.locator(".sounds body-map")).to_have_count(2)
    assert [each.get_attribute("mode") for each in page.locator(".sounds body-map").all()] == [
        "lung-front",
        "lung-back",
    ]
    page.locator(".sounds body-map [data-site=Bl]").click()
    expect(page.locator("sound-player")).to_have_attribute("point", "Bl · Back, lower left")
    page.get_by_role("button", name="Ask again", exact=True).click()
    expect(page.locator(".where-said")).to_have_text("Lung sound · Bl")
    page.locator(".where-body [data-site=Ll]").click()
    expect(page.locator(".where-said")).to_have_text("Lung sound · Ll")


def test_preview_sound_is_opus_and_labelled(open_desk: Callable[..., Page], relay: FakeRelay) -> None:
    page = open_desk(f"#/case/{ARRIVING}/heart")
    expect(page.locator("sound-player .layer").first).to_have_text("Short preview")
    page.wait_for_function("() => document.querySelector('sound-player').state.duration_s > 0")
    assert state(page)["duration_s"] == pytest.approx(8.0, abs=0.1)


def test_the_spectrum_finds_a_tone_where_it_is(open_desk: Callable[..., Page]) -> None:
    page = open_desk(SOUNDS)
    heights = page.evaluate("""async () => {
      const {spectrum, RATE_HZ, TOP_HZ} = await import('/shared/instruments/sound-player-spectrum.js');
      return [80, 300, 900].map(hz => {
        const tone = (_, i) => Math.sin(2 * Math.PI * hz * i / RATE_HZ);
        const found = spectrum(Float32Array.from({length: RATE_HZ}, tone));
        const row = Array.from(found.db.slice(20 * found.bins, 21 * found.bins));
        return row.indexOf(Math.max(...row)) / found.bins * TOP_HZ;
      });
    }""")
    assert heights == pytest.approx([80, 300, 900], abs=4)


def test_ears_stand_as_one_faces_the_patient_in_every_language(
    open_desk: Callable[..., Page], shot: Callable[..., Any]
) -> None:
    for language in ("en", "ar"):
        page = open_desk(EARS, language=language)
        sides = {}
        expect(page.locator("picture-viewer")).to_have_count(2)
        for viewer in page.locator("picture-viewer").all():
            expect(viewer.locator(".side b")).to_have_text(
                "R" if viewer.get_attribute("side") == "right" else "L"
            )
            viewer.evaluate(LOADED)
            box = viewer.bounding_box()
            assert box is not None
            sides[viewer.get_attribute("side")] = box["x"]
        assert sides["right"] < sides["left"]
        shot(page, f"ears-{language}")


def test_a_poor_picture_says_why_in_words(open_desk: Callable[..., Page]) -> None:
    page = open_desk(EARS)
    left = page.locator(".ear").last
    expect(left.locator(".rec-head")).to_contain_text("Poor quality")
    expect(left.locator(".reasons")).to_have_text("The picture is out of focus.")
    expect(left.locator(".rec-head")).to_contain_text("Sent anyway, marked poor")


def test_picture_zooms_pans_and_brightens_by_button_and_key_and_its_side_stays(
    open_desk: Callable[..., Page],
) -> None:
    page = open_desk(EARS)
    viewer = shown(page)
    viewer.get_by_role("button", name="Zoom in").click()
    viewer.locator(".stage").focus()
    for key in ("+", "ArrowRight", "b"):
        page.keyboard.press(key)
    now = state(page, "picture-viewer")
    assert now["zoom"] == pytest.approx(1.96, abs=0.01)
    assert now["x"] < 0
    assert now["brightness"] == pytest.approx(1.1)
    expect(viewer.locator(".side")).to_be_visible()
    page.keyboard.press("0")
    assert state(page, "picture-viewer") == {"zoom": 1, "x": 0, "y": 0, "brightness": 1, "loaded": True}


def test_a_picture_that_cannot_be_opened_says_so(open_desk: Callable[..., Page], relay: FakeRelay) -> None:
    for recording in relay.cases[WHOLE]["recordings"]:
        relay.faults[f"/api/cases/{WHOLE}/recordings/{recording['id']}/pictures"] = (500, "internal")
    page = open_desk(EARS, quiet=False)
    expect(page.get_by_text("This picture could not be opened.").first).to_be_visible()


LOADED = "v => v.state.loaded || new Promise(done => v.addEventListener('loaded', done))"


def shown(page: Page, side: int = 0) -> Any:
    """The viewer of one ear once its picture is there."""
    viewer = page.locator(".ear").nth(side).locator("picture-viewer")
    viewer.evaluate(LOADED)
    return viewer


def drag(page: Page, viewer: Any, begin: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag from one spot to another, in shares of the picture."""
    box = viewer.locator(".stage").bounding_box()
    at = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in (begin, end)]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(*at[1], steps=3)
    page.mouse.up()


def test_side_and_quality_stay_on_the_picture_and_the_enhanced_view_says_so(
    open_desk: Callable[..., Page],
) -> None:
    page = open_desk(EARS)
    left = shown(page, 1)
    expect(left.locator(".quality")).to_have_text("Poor quality")
    expect(left.locator(".side")).to_have_text("LLeft ear")
    page.locator(".ear").last.get_by_role("button", name="Enhanced view").click()
    expect(left).to_have_attribute("src", re.compile("/pictures/0/enhanced$"))
    expect(left.locator(".layer")).to_have_text("Enhanced for display, not the original")
    expect(left.locator(".side")).to_be_visible()
    page.locator(".ear").last.get_by_role("button", name="Enhanced view").click()
    expect(left.locator(".layer")).to_be_hidden()


def test_arrows_and_circles_stay_where_they_were_put_and_are_kept_with_the_case(
    open_desk: Callable[..., Page], relay: FakeRelay, shot: Callable[..., Any]
) -> None:
    case = relay.cases[WHOLE]
    theirs = {"kind": "circle", "x0": 0.5, "y0": 0.5, "x1": 0.6, "y1": 0.5}
    author = {"id": "benali", "name": "Dr S. Benali"}
    case["drawings"] = [
        {"recording": ident(260), "picture": 0, "author": author, "shapes": [theirs], "at_ms": 0}
    ]
    page = open_desk(EARS)
    viewer, ear = shown(page), page.locator(".ear").first
    expect(ear.get_by_text("Also by Dr S. Benali")).to_be_visible()
    ear.get_by_role("button", name="Arrow").click()
    drag(page, viewer, (0.2, 0.3), (0.4, 0.5))
    expect(viewer.locator("svg .mine")).to_have_count(1)
    expect(ear.get_by_role("button", name="Undo my last")).to_be_visible()
    viewer.get_by_role("button", name="Zoom in").click()
    viewer.get_by_role("button", name="Zoom in").click()
    ear.get_by_role("button", name="Circle").click()
    # two taps draw as a drag does, and zooming in changes the screen, not the place on the picture
    box = viewer.locator(".stage").bounding_box()
    assert box is not None
    for x, y in ((0.5, 0.5), (0.7, 0.5)):
        page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
    expect(viewer.locator("svg .mine")).to_have_count(2)
    shot(page, "ears-drawn")
    until_true(lambda: [len(one["shapes"]) for one in case["drawings"]] == [1, 2])
    kept = case["drawings"][1]["shapes"]
    assert [one["kind"] for one in kept] == ["arrow", "circle"]
    assert [kept[0][end] for end in ("x0", "y0", "x1", "y1")] == pytest.approx([0.2, 0.3, 0.4, 0.5], abs=0.01)
    assert kept[1]["x1"] - kept[1]["x0"] == pytest.approx(0.2 / 1.96, abs=0.01)
    page = open_desk(EARS)
    expect(shown(page).locator("svg .mine")).to_have_count(2)
    page.locator(".ear").first.get_by_role("button", name="Undo my last").click()
    expect(page.locator("picture-viewer").first.locator("svg .mine")).to_have_count(1)
    expect(page.locator("picture-viewer").first.locator("svg .theirs")).to_have_count(1)


def test_a_clip_freezes_is_drawn_along_and_keeps_its_zoom(
    open_desk: Callable[..., Page], relay: FakeRelay
) -> None:
    film = {"media_type": "image/avif", "bytes": 70_000, "from_s": 1.0, "seconds": 1.2}
    relay.recording(WHOLE, ident(261))["clip"] = film
    page = open_desk(EARS)
    ear, viewer = page.locator(".ear").last, shown(page, 1)
    ear.get_by_role("button", name="Clip").click()
    expect(viewer).to_have_attribute("src", re.compile("/clip$"))
    expect(viewer.locator(".layer")).to_contain_text("Clip of 1 s")
    ear.get_by_role("button", name="Freeze").click()
    expect(viewer).to_have_attribute("src", re.compile(r"/clip/frames/\d$"))
    ear.get_by_label("Moment of the clip").fill("4")
    expect(viewer).to_have_attribute("src", re.compile("/clip/frames/4$"))
    expect(ear.locator(".clip-time")).to_contain_text("0.80 / 1.2 s")
    viewer.get_by_role("button", name="Zoom in").click()
    ear.get_by_role("button", name="Earlier picture").click()
    expect(viewer).to_have_attribute("src", re.compile("/clip/frames/3$"))
    assert viewer.evaluate("v => v.state.zoom") == pytest.approx(1.4)
    ear.get_by_role("button", name="Arrow").click()
    drag(page, viewer, (0.3, 0.3), (0.6, 0.6))
    expect(viewer.locator("svg .mine")).to_have_count(1)
    until_true(lambda: relay.cases[WHOLE]["drawings"])
    assert relay.cases[WHOLE]["drawings"][0]["picture"] == 1003
    ear.get_by_role("button", name="Play", exact=True).click()
    expect(viewer).to_have_attribute("src", re.compile("/clip$"))
    expect(viewer.locator("svg .mine")).to_have_count(0)


def test_an_earlier_visits_ears_stand_under_the_present_ones(
    open_desk: Callable[..., Page], relay: FakeRelay, shot: Callable[..., Any]
) -> None:
    relay.earlier = [earlier_visit(20, 90)]
    page = open_desk(EARS, language="fr")
    page.get_by_role("button", name="Visite antérieure à côté").click()
    expect(page.locator(".earlier picture-viewer")).to_have_count(2)
    assert [v.get_attribute("side") for v in page.locator(".earlier picture-viewer").all()] == [
        "right",
        "left",
    ]
    expect(page.locator(".earlier").get_by_role("button", name="Flèche")).to_have_count(0)
    shot(page, "ears-earlier")


def test_photographs_stand_by_their_place_which_stays_on_them_and_are_asked_for_again_by_it(
    open_desk: Callable[..., Page], relay: FakeRelay, shot: Callable[..., Any]
) -> None:
    relay.cases[WHOLE]["recordings"] += photographs(0x7000)
    relay.earlier = [earlier_visit(20, 90)]
    relay.earlier[0]["recordings"] += photographs(0x8000)[:1]
    page = open_desk(f"#/case/{WHOLE}/photos", language="fr")
    viewers = page.locator("picture-viewer")
    expect(viewers).to_have_count(2)
    assert viewers.first.evaluate("v => v.shadowRoot.querySelector('.side').innerText") == "Avant-bras droit"
    page.get_by_role("button", name="Visite antérieure à côté").click()
    expect(page.locator(".earlier picture-viewer")).to_have_count(1)
    shot(page, "photos-fr")
    page.get_by_role("button", name="Haut du dos").click()
    expect(viewers).to_have_count(1)
    expect(viewers).to_have_attribute("quality", "poor")
    expect(page.get_by_text("Pas de photo antérieure de cet endroit")).to_be_visible()
    page = open_desk(f"#/case/{WHOLE}/photos", language="ar", size="phone")
    page.locator("picture-viewer").nth(1).evaluate(LOADED)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shot(page, "photos-ar-phone")
    page.locator(".rec-again").first.tap()
    answer = page.locator(".answer")
    answer.locator("skin-map").last.locator("[data-site=upper_back]").tap()
    expect(answer.locator("select")).to_have_value("upper_back")
    shot(page, "photos-again-ar-phone")
    answer.locator("button[type=submit]").tap()
    expect(answer.get_by_text("أُرسل إلى")).to_be_visible()
    sent = relay.cases[WHOLE]["messages"][0]
    assert (sent["kind"], sent["step"], sent["site"]) == ("retake", "photo", "upper_back")
