"""A retake request opens the right coach at the right point and is settled by sending; lungs in order."""

from collections.abc import Callable

import pytest
from kiosk.fake_edge import FakeEdge
from kiosk.kiosk_browser import edge, hand, kiosk_chromium  # noqa: F401
from kiosk.worker_hand import Hand
from playwright.sync_api import expect

pytestmark = pytest.mark.web


def case_of(edge: FakeEdge) -> None:  # noqa: F811
    edge.far.add("c1", {
        "reason": "cough",
        "patient": edge.patients[0], "urgency": "routine", "specialty": "cardiology",
        "recordings": [], "vitals": [], "question": "Souffle ?",
    })  # fmt: skip


@pytest.mark.parametrize(("language", "size"), [("fr", "small"), ("ar", "large")])
def test_a_request_leads_to_the_coach_and_its_point(
    hand: Callable[..., Hand],  # noqa: F811
    language: str,
    size: str,
) -> None:
    worker = hand(language, size)
    case_of(worker.edge)
    worker.edge.far.ask_again("c1", "M", "Plus longtemps, côté gauche")
    worker.sign_in()
    expect(worker.page.locator(".case-row .chip-attention")).to_have_text(worker.text("delivery.retake"))
    worker.page.locator(".case-row").click()
    worker.heading("delivery.retake.title")
    worker.fits("retake-asked")
    worker.touch("again.go")
    worker.heading("confirm.title")
    worker.page.locator(".identifier").nth(0).click()
    worker.page.locator(".identifier").nth(1).click()
    worker.touch("confirm.go")
    worker.heading("exam.heart_sound")
    expect(worker.page.locator(".place-active[data-site=M]")).to_be_visible()
    expect(worker.page.get_by_text("Plus longtemps, côté gauche")).to_be_visible()
    worker.sees("coach.good")
    worker.fits("retake-coach")
    worker.record()
    worker.touch("result.keep")
    worker.sees("again.done")
    worker.fits("retake-done")
    worker.touch("address.send")
    worker.sees("delivery.on_box.title")
    assert worker.edge.far.cases["c1"]["retakes"] == []
    sent = [one for one in worker.edge.far.cases.values() if one["continues"] == "c1"]
    assert len(sent) == 1


def test_a_request_for_an_ear_opens_that_ear(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr")
    case_of(worker.edge)
    worker.edge.far.ask_again("c1", "", "Le tympan n’est pas visible", step="otoscopy", side="right")
    worker.sign_in()
    worker.page.locator(".case-row").click()
    worker.touch("again.go")
    for n in (0, 1):
        worker.page.locator(".identifier").nth(n).click()
    worker.touch("confirm.go")
    worker.sees("side.right")
    expect(worker.page.locator(".ear-big-right")).to_be_visible()
    worker.touch("do.back")
    worker.heading("ears.title")
    worker.touch("do.back")
    worker.sees("again.go")
    worker.touch("again.more")
    worker.heading("tiles.title")


def test_skin_is_photographed_where_the_body_was_touched(
    hand: Callable[..., Hand],  # noqa: F811
) -> None:
    worker = hand("ar", "small")
    worker.sign_in()
    worker.to_tiles()
    worker.edge.judge("otoscope", "no_eardrum_in_view", "fog")
    worker.exam("photo")
    worker.heading("skin.title")
    worker.fits("skin-where")
    box = worker.page.locator("skin-map svg").bounding_box()
    assert box is not None
    # The right hand is on the left of the screen, in Arabic too; the figure is 400 wide and 900 high.
    scale = min(box["width"] / 400, box["height"] / 900)
    worker.page.mouse.click(box["x"] + box["width"] / 2 - 160 * scale, box["y"] + 440 * scale)
    worker.sees("site.hand_r")
    worker.sees("reason.out_of_focus.do")
    worker.edge.judge("otoscope", "wax")
    worker.sees("skin.good")
    worker.fits("skin")
    worker.edge.judge("otoscope")
    worker.record()
    worker.touch("result.keep")
    worker.heading("skin.title")
    expect(worker.page.locator("skin-map .place-done[data-site=hand_r]")).to_have_count(1)
    worker.main()
    expect(worker.page.locator("[data-exam=photo]")).to_contain_text(worker.text("site.hand_r"))
    assert worker.edge.visit is not None
    taken = worker.edge.visit["recordings"][0]
    assert (taken["step"], taken["site"], taken["side"]) == ("photo", "hand_r", "")


def test_the_lungs_are_heard_in_order_front_then_back(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr")
    worker.sign_in()
    worker.to_tiles()
    worker.edge.judge("stethoscope", "no_heart_sound")
    worker.exam("lung_sound")
    worker.sees("coach.good")
    expect(worker.page.locator(".place-active[data-site=Ar]")).to_be_visible()
    assert worker.edge.visit is not None
    done = [{"step": "lung_sound", "site": site, "side": "", "reason": "x"} for site in ("Al", "Lr", "Ll")]
    worker.edge.visit["skips"] += done
    worker.touch("coach.skip")
    worker.touch("skip.not_needed")
    worker.exam("lung_sound")
    expect(worker.page.locator(".place-active[data-site=Pr]")).to_be_visible()
    worker.fits("lungs-back")
    left, right = (worker.page.locator(f"[data-site={site}]").bounding_box() for site in ("Pl", "Pr"))
    assert left is not None
    assert right is not None
    assert left["x"] < right["x"], "from behind, the patient's left is on the left"
    worker.edge.judge("stethoscope")
    worker.record()
    worker.touch("result.keep")
    expect(worker.page.locator(".place-active[data-site=Pl]")).to_be_visible()
    worker.touch("lungs.lung-front")
    expect(worker.page.locator(".place-active[data-site=Ar]")).to_be_visible()
