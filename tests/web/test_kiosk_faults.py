"""What the worker sees when something goes wrong: each fault has a sentence, and a way on."""

import re
from collections.abc import Callable

import pytest
from kiosk.kiosk_browser import edge, hand, kiosk_chromium  # noqa: F401
from kiosk.worker_hand import Hand
from playwright.sync_api import expect

pytestmark = pytest.mark.web


@pytest.fixture
def examining(hand: Callable[..., Hand]) -> Callable[..., Hand]:  # noqa: F811
    """A worker at the tiles of a visit."""

    def at_tiles(language: str = "fr", size: str = "large") -> Hand:
        worker = hand(language, size)
        worker.sign_in()
        worker.to_tiles()
        return worker

    return at_tiles


@pytest.mark.parametrize("language", ["fr"])
def test_unplugging_in_the_middle_is_said_and_can_be_begun_again(
    examining: Callable[..., Hand], language: str
) -> None:
    worker = examining(language)
    worker.edge.speed = 0.2  # long enough for a busy machine to be in the middle of it
    worker.exam("ecg")
    worker.main()
    expect(worker.page.locator("count-ring")).to_be_visible()
    worker.edge.unplug("ecg")
    worker.edge.speed = 12
    worker.sees("problem.device_lost")
    worker.sees("failed.why")
    worker.picture("unplugged")
    worker.edge.plug("ecg")
    worker.sees("tile.ready")
    worker.touch("result.again")
    worker.sees("coach.good")
    worker.record()
    worker.touch("result.keep")
    worker.heading("tiles.title")


@pytest.mark.parametrize(("language", "size"), [("fr", "small")])
def test_a_finger_without_a_pulse_is_warmed_or_changed(
    examining: Callable[..., Hand], language: str, size: str
) -> None:
    worker = examining(language, size)
    worker.edge.judge("oximeter", "low_perfusion")
    worker.exam("oximetry")
    worker.sees("finger.cold.do")
    worker.sees("finger.varnish.do")
    worker.sees("reason.low_perfusion.do")
    worker.fits("cold-finger")
    worker.edge.judge("oximeter")
    worker.sees("coach.good")
    expect(worker.page.locator(".fingers")).to_have_count(0)


def test_an_absent_instrument_is_asked_for_and_may_be_skipped(examining: Callable[..., Hand]) -> None:
    worker = examining()
    worker.edge.unplug("ecg")
    expect(worker.page.locator("[data-exam=ecg]")).to_contain_text(worker.text("tile.absent"))
    worker.exam("ecg")
    worker.sees("absent.plug")
    worker.picture("absent")
    worker.touch("coach.skip")
    worker.touch("skip.no_device")
    expect(worker.page.locator("[data-exam=ecg]")).to_contain_text(worker.text("tile.skipped"))
    assert worker.edge.visit is not None
    assert worker.edge.visit["skips"][0]["reason"] == "no_device"


def test_an_instrument_plugged_in_late_begins_by_itself(examining: Callable[..., Hand]) -> None:
    worker = examining()
    worker.edge.unplug("oximeter")
    worker.exam("oximetry")
    worker.sees("absent.plug")
    worker.edge.plug("oximeter")
    worker.sees("coach.good")
    expect(worker.page.locator(".number .value").first).to_contain_text("97")


@pytest.mark.parametrize("language", ["ar"])
def test_poor_twice_may_be_sent_marked_poor(examining: Callable[..., Hand], language: str) -> None:
    worker = examining(language)
    worker.edge.judge("ecg", "mains_hum")
    worker.exam("ecg")
    worker.sees("reason.mains_hum.do")
    expect(worker.page.locator(".coach-hint .remedy .r-no")).to_be_visible()
    worker.record()
    worker.sees("reason.mains_hum")
    expect(worker.page.locator(".coach-hint .remedy .r-no")).to_be_visible()
    expect(worker.button("result.poor_anyway")).to_have_count(0)
    worker.touch("result.again")
    worker.record()
    worker.picture("poor")
    worker.touch("result.poor_anyway")
    expect(worker.page.locator("[data-exam=ecg]")).to_contain_text(worker.text("tile.poor"))


SHIFTS = """() => {
  window.shifted = [];
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) {
      const nodes = one.sources.map(({ node }) => (node?.nodeType === 1 ? node : node?.parentElement));
      const moved = nodes.filter((node) => node && !node.closest('.page-note'));  // chips grow with words
      const told = moved.map((node) => `${node.nodeName}.${node.getAttribute('class')}`);
      if (!one.hadRecentInput) shifted.push(...told);
    }
  }).observe({ type: "layout-shift" });
}"""
"""What moved on the page without a touch, as the browser itself measures it (Layout Instability)."""


def test_an_electrode_without_contact_is_named_and_lit(examining: Callable[..., Hand]) -> None:
    worker = examining()
    worker.edge.judge("ecg", "lead_off:V3", "lead_off:RA")
    worker.exam("ecg")
    worker.sees("ecg.press", where="V3")
    worker.sees("ecg.off", colour="verte")
    expect(worker.page.locator(".place-off[data-site=V3]")).to_be_visible()
    expect(worker.page.locator(".place-off[data-site=R]")).to_have_count(1)
    worker.picture("electrode-off")
    worker.edge.judge("ecg")
    worker.sees("ecg.contact.all")
    worker.page.evaluate(SHIFTS)
    expect(worker.page.locator(".place-off")).to_have_count(0)
    worker.edge.judge("ecg", "lead_swap:RA/LA", usable=True)
    worker.sees("reason.lead_swap.do")
    for electrode in ("R", "L"):
        expect(worker.page.locator(f".place-off[data-site={electrode}]")).to_have_count(1)
    worker.sees("reason.lead_swap.detail", detail="R/L")  # as the map beside it has them
    worker.edge.electrodes = "aha"
    worker.edge.tell({"type": "status", "status": worker.edge.status()})
    worker.sees("reason.lead_swap.detail", detail="RA/LA")
    worker.edge.judge("ecg", "lead_off:R", "lead_off:V5")
    worker.sees("ecg.press", where="RA")
    worker.sees("ecg.off", colour="blanche, au bras droit,")
    expect(worker.page.locator(".place-off[data-site=V5] [fill='#e8741a']")).to_have_count(1)
    worker.edge.judge("ecg")
    worker.sees("ecg.contact.all")
    assert worker.page.evaluate("shifted") == [], "nothing moves under the hand while the coach speaks"
    worker.edge.judge("ecg", "lead_swap:RA/LA", usable=True)
    worker.record()
    worker.sees("reason.lead_swap.do")  # good enough to keep, and still named
    worker.sees("result.good.help")


def test_an_oximeter_that_cannot_be_connected_is_read_and_typed(examining: Callable[..., Hand]) -> None:
    worker = examining()
    worker.edge.unplug("oximeter")
    worker.exam("oximetry")
    worker.touch("meter.type")
    worker.page.keyboard.type("940")
    worker.sees("vital.limits", low="30", high="100")
    worker.page.keyboard.press("Backspace")
    worker.page.keyboard.type("\n71\n")
    expect(worker.page.locator("[data-exam=oximetry]")).to_contain_text("94")
    assert worker.edge.visit is not None
    assert [(one["kind"], one["source"]) for one in worker.edge.visit["vitals"]] == [
        ("spo2", "manual"),
        ("pulse_rate", "manual"),
    ]


def test_a_full_disk_is_said_above_every_screen(examining: Callable[..., Hand]) -> None:
    worker = examining()
    worker.edge.disk = "full"
    worker.edge.tell({"type": "status", "status": worker.edge.status()})
    worker.sees("alert.disk")
    worker.exam("ecg")
    worker.main()
    worker.sees("error.disk_full")
    assert worker.edge.captures == {}
    worker.picture("disk-full")


def test_without_network_the_case_is_kept_here_and_said_so(examining: Callable[..., Hand]) -> None:
    worker = examining()
    worker.edge.uplink = "offline"
    worker.edge.tell({"type": "status", "status": worker.edge.status()})
    worker.sees("bar.offline")
    expect(worker.page.locator(".bar-contact")).to_have_text(re.compile(r"^0\s?min$"))
    worker.touch("tiles.review")
    worker.touch("review.go")
    worker.touch("phrase.transfer")
    worker.touch("do.next")
    worker.sees("address.offline")
    worker.touch("address.send")
    worker.sees("case.offline")
    worker.sees("delivery.on_box.title")
    assert [case["state"] for case in worker.edge.far.cases.values()] == ["on_box"]


def test_a_refused_case_says_nothing_is_lost(examining: Callable[..., Hand]) -> None:
    worker = examining()
    assert worker.edge.visit is not None
    worker.edge.far.add("c9", worker.edge.visit)
    worker.edge.far.cases["c9"]["refused"] = "bad_signature"
    worker.page.goto(f"{worker.edge.url}/#/case/c9")
    worker.sees("case.refused")
    worker.sees("case.refused.help", phone="+212 535 00 00 00")


def test_an_ended_session_asks_for_the_pin_and_resumes_at_the_same_screen(
    examining: Callable[..., Hand],
) -> None:
    worker = examining()
    worker.exam("temperature")
    worker.heading("exam.temperature")
    worker.edge.end_sessions()  # what the page asks for next tells it
    worker.page.keyboard.type("37")
    worker.page.keyboard.press("Enter")
    worker.sees("signin.ended")
    worker.page.get_by_role("button", name="Amina Berrada").click()
    worker.page.keyboard.type("1111\n")
    worker.sees("error.wrong_pin")
    worker.page.keyboard.type(worker.edge.pin + "\n")
    worker.heading("exam.temperature")
    assert worker.edge.tokens


def test_a_silent_box_is_said_and_the_screen_comes_back(examining: Callable[..., Hand]) -> None:
    worker = examining()
    worker.page.context.set_offline(True)
    worker.page.evaluate("() => dispatchEvent(new Event('offline'))")
    worker.exam("weight")
    worker.page.keyboard.type("61")
    worker.page.keyboard.press("Enter")
    worker.sees("error.unreachable")
    worker.page.context.set_offline(False)
    worker.page.keyboard.press("Enter")
    expect(worker.page.locator("[data-exam=weight]")).to_contain_text("61")


def test_impossible_numbers_are_stopped_before_they_are_sent(examining: Callable[..., Hand]) -> None:
    worker = examining()
    worker.exam("temperature")
    worker.page.keyboard.type("372")
    worker.sees("vital.limits", low="30", high="43")
    worker.page.keyboard.press("Enter")
    worker.heading("exam.temperature")
    worker.page.keyboard.press("Backspace")
    worker.page.keyboard.type(",2\n")
    expect(worker.page.locator("[data-exam=temperature]")).to_contain_text("37,2")


def test_the_worker_chooses_between_two_oximeters(examining: Callable[..., Hand]) -> None:
    worker = examining()
    second = worker.edge.devices["oximeter"] | {"id": "plx-1", "model": "Bluetooth", "rates": {}}
    worker.edge.tell({"type": "device", "device": second})
    worker.exam("oximetry")
    worker.sees("coach.good")
    worker.page.get_by_role("button", name="Bluetooth").click()
    worker.sees("oximeter.no_wave")
    worker.page.get_by_role("button", name="Kit oximeter").click()
    expect(worker.page.get_by_text(worker.text("oximeter.no_wave"))).to_have_count(0)


def test_a_recording_left_undecided_is_asked_about_before_sending(examining: Callable[..., Hand]) -> None:
    worker = examining()
    worker.exam("ecg")
    worker.record()
    worker.page.goto(f"{worker.edge.url}/#/visit/tiles")
    expect(worker.page.locator("[data-exam=ecg]")).to_contain_text(worker.text("tile.look"))
    worker.touch("tiles.review")
    worker.touch("review.go")
    worker.touch("phrase.opinion")
    worker.touch("do.next")
    worker.touch("address.send")
    worker.sees("error.incomplete.capture")
