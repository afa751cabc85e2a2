"""From the inbox to a signed opinion, a retake and what comes back."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect
from relay_desk.cases_for_desk import ident
from relay_desk.desk_browser import (  # noqa: F401 - fixtures
    chromium,
    desk_opener,
    fresh_relay,
    profiles,
    running_fake,
    screenshots,
)
from relay_desk.fake_relay import PASSWORD, FakeRelay
from relay_desk.hands_at_desk import Finger, Keyboard, Mouse

pytestmark = pytest.mark.web

FIRST, THEIRS = ident(256), ident(1024)


def fill_in(page: Page) -> None:
    page.get_by_label("Impression").fill("Systolic murmur at the aortic area.")
    page.get_by_label("Advice").fill("Echocardiography within a month.")
    for code in ("probable", "urgent", "no"):
        page.locator(f".answer .choice-{code}").click()


def test_a_specialist_takes_a_case_signs_and_sees_it_arrive(
    open_desk: Callable[..., Page], relay: FakeRelay, shot: Callable[..., Any]
) -> None:
    page = open_desk(f"#/case/{FIRST}")
    page.get_by_role("button", name="Take this case").click()
    sign = page.locator(".answer").get_by_role("button", name="Sign and send")
    expect(sign).to_be_disabled()
    expect(page.get_by_text("Still missing: Impression")).to_be_visible()
    fill_in(page)
    sign.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Fatima Bouzid")
    expect(dialog).to_contain_text("2231")
    dialog.get_by_label("Your password").fill(PASSWORD)
    shot(page, "sign")
    dialog.get_by_role("button", name="Sign and send").click()
    expect(page.get_by_text("Signed and sent")).to_be_visible()
    expect(page.locator(".answer .reached")).to_contain_text("On its way to Anfgou")
    shot(page, "signed")
    relay.back[-1]["at_site_ms"] = relay.back[-1]["queued_ms"] + 3000
    relay.tell_soon({"type": "case", "id": FIRST})
    expect(page.locator(".answer .reached")).to_contain_text("Reached Anfgou")
    signed = relay.cases[FIRST]["opinions"][0]
    assert signed["certainty"] == "probable"
    assert signed["transfer"] is False
    assert signed["follow_up_date"] is None
    assert "password" not in signed


def test_words_written_while_a_draft_is_on_its_way_follow_it(
    open_desk: Callable[..., Page], relay: FakeRelay
) -> None:
    page = open_desk(f"#/case/{FIRST}")
    page.get_by_role("button", name="Take this case").click()
    held: list[Route] = []
    came: list[int] = []
    page.on("response", lambda answer: came.append(answer.status) if "/draft" in answer.url else None)
    page.route("**/api/**/draft", lambda route: route.continue_() if held else held.append(route))
    with page.expect_request("**/api/**/draft"):
        page.get_by_label("Impression").fill("First words")
    page.get_by_role("button", name="Sign out").click()  # before the relay has them
    expect(page.get_by_role("dialog")).to_contain_text("A draft is on this device alone")
    page.get_by_role("button", name="Stay").click()
    page.get_by_label("Impression").fill("First words, and more.")
    page.evaluate("import('/desk/kept-drafts.js').then(drafts => void drafts.handOver())")
    with page.expect_response("**/api/**/draft"):
        held[0].continue_()
    expect(page.locator(".draft-state")).to_contain_text("at the relay")
    page.evaluate("import('/desk/kept-drafts.js').then(drafts => drafts.handOver())")
    expect(page.locator(".conflict")).to_have_count(0)
    assert relay.cases[FIRST]["draft"]["impression"] == "First words, and more."
    assert set(came) == {200}


def test_a_draft_of_which_only_the_answer_was_lost_is_no_conflict(
    open_desk: Callable[..., Page], relay: FakeRelay
) -> None:
    page = open_desk(f"#/case/{FIRST}", quiet=False)
    page.get_by_role("button", name="Take this case").click()

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/api/**/draft", lose, times=1)
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/draft")):
        page.get_by_label("Impression").fill("First words")
    assert relay.cases[FIRST]["draft"]["impression"] == "First words"
    page.get_by_label("Impression").fill("First words, and more.")
    expect(page.locator(".draft-state")).to_contain_text("at the relay")
    expect(page.locator(".conflict")).to_have_count(0)
    assert relay.cases[FIRST]["draft"]["impression"] == "First words, and more."


def test_without_a_microphone_the_answer_goes_on_in_writing(open_desk: Callable[..., Page]) -> None:
    page = open_desk(f"#/case/{FIRST}")
    page.get_by_role("button", name="Take this case").click()
    page.get_by_role("button", name="Record a voice note").click()
    field = page.locator(".spoken").first
    expect(field.get_by_role("alert")).to_contain_text("microphone")
    expect(field.get_by_role("button", name="Record a voice note")).to_be_visible()
    fill_in(page)
    expect(page.locator(".answer").get_by_role("button", name="Sign and send")).to_be_enabled()


def test_medicines_come_from_the_sites_stock_and_are_signed_with_the_rest(
    open_desk: Callable[..., Page], relay: FakeRelay, shot: Callable[..., Any]
) -> None:
    page = open_desk(f"#/case/{FIRST}")
    page.get_by_role("button", name="Take this case").click()
    fill_in(page)
    for name in ("Furosémide 40 mg", "Paracétamol 500 mg"):
        page.get_by_label("Add a medicine").select_option(name)
    page.get_by_label("How Furosémide 40 mg is taken").fill("one each morning")
    page.get_by_role("button", name="Remove Paracétamol 500 mg").click()
    options = page.get_by_label("Add a medicine").locator("option").all_text_contents()
    assert options[1:] == ["Paracétamol 500 mg", "Amoxicilline 500 mg"]
    shot(page, "medicines")
    page.locator(".answer").get_by_role("button", name="Sign and send").click()
    expect(page.get_by_role("dialog")).to_contain_text("Furosémide 40 mg one each morning")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("dialog").get_by_role("button", name="Sign and send").click()
    expect(page.locator(".answer .medicine-list")).to_have_text("Furosémide 40 mg one each morning")
    signed = relay.cases[FIRST]["opinions"][0]
    assert signed["medicines"] == [{"name": "Furosémide 40 mg", "how": "one each morning"}]
    page.get_by_role("button", name="Amend with a new version").click()
    expect(page.get_by_label("How Furosémide 40 mg is taken")).to_have_value("one each morning")
    relay.cases[FIRST]["stock"] = []
    page = open_desk(f"#/case/{ident(768)}", language="ar")
    relay.cases[ident(768)]["stock"] = []
    page.reload()
    page.locator(".answer .button-main").first.click()
    expect(page.locator(".answer")).to_contain_text("Zaouïat Ahansal")
    expect(page.locator(".medicines")).to_have_count(0)


def test_phrases_are_put_in_kept_and_forgotten(open_desk: Callable[..., Page]) -> None:
    page = open_desk(f"#/case/{FIRST}")
    page.get_by_role("button", name="Take this case").click()
    impression, phrases = page.get_by_label("Impression"), page.locator(".phrases").first
    phrases.locator("summary").click()
    phrases.get_by_role("button", name="Heart sounds without murmur.").click()
    expect(impression).to_have_value("Heart sounds without murmur.")
    phrases.get_by_role("button", name="Sinus rhythm, no acute change.").click()
    expect(impression).to_have_value("Heart sounds without murmur.\nSinus rhythm, no acute change.")
    impression.fill("My own words.")
    phrases.get_by_role("button", name="Keep this text as a phrase").click()
    expect(phrases.get_by_role("button", name="My own words.")).to_be_visible()
    page.reload()
    page.locator(".phrases summary").first.click()
    expect(page.locator(".phrases").first.get_by_role("button", name="My own words.")).to_be_visible()
    page.locator(".phrases").first.get_by_role("button", name="Forget this phrase").click()
    expect(page.get_by_role("button", name="My own words.")).to_have_count(0)


def test_a_lead_drawn_nearer_is_asked_for_again_by_its_electrode(
    open_desk: Callable[..., Page], relay: FakeRelay
) -> None:
    page = open_desk(f"#/case/{FIRST}/ecg")
    page.get_by_label("One lead").select_option("V3")
    page.get_by_role("button", name="Ask again for V3").click()
    expect(page.locator(".where-said")).to_contain_text("ECG · V3")
    page.get_by_role("button", name="Ask for it").click()
    expect(page.get_by_text("Sent to Anfgou")).to_be_visible()
    sent = relay.cases[FIRST]["messages"][0]
    assert (sent["kind"], sent["step"], sent["site"]) == ("retake", "ecg", "V3")


def test_a_wrong_password_signs_nothing_and_says_so(open_desk: Callable[..., Page], relay: FakeRelay) -> None:
    page = open_desk(f"#/case/{FIRST}", quiet=False)
    page.get_by_role("button", name="Take this case").click()
    fill_in(page)
    page.locator(".answer").get_by_role("button", name="Sign and send").click()
    page.get_by_label("Your password").fill("wrong")
    page.get_by_role("dialog").get_by_role("button", name="Sign and send").click()
    expect(page.get_by_role("alert")).to_have_text("Wrong password: nothing was signed.")
    assert relay.cases[FIRST]["opinions"] == []
    page.keyboard.press("Escape")
    expect(page.get_by_label("Impression")).to_have_value("Systolic murmur at the aortic area.")


def test_what_was_written_waits_while_another_case_is_looked_at(open_desk: Callable[..., Page]) -> None:
    page = open_desk(f"#/case/{FIRST}")
    page.get_by_role("button", name="Take this case").click()
    page.get_by_label("Impression").fill("Half a thought")
    page.locator(".row", has_text="Imilchil").click()
    expect(page.locator(".strip-name").first).to_have_text("Moha Ouali")
    page.locator(".row", has_text="Chest pain").first.click()
    expect(page.get_by_label("Impression")).to_have_value("Half a thought")


def test_nobody_answers_a_case_that_a_colleague_reads(open_desk: Callable[..., Page]) -> None:
    page = open_desk(f"#/case/{THEIRS}")
    expect(page.locator(".answer")).to_contain_text("Dr S. Benali is reading this case")
    expect(page.locator(".answer").get_by_role("button", name="Sign and send")).to_have_count(0)


def test_a_claim_that_came_too_late_is_explained(open_desk: Callable[..., Page], relay: FakeRelay) -> None:
    page = open_desk(f"#/case/{FIRST}", quiet=False)
    relay.faults[f"/api/cases/{FIRST}/claim"] = (409, "claimed")
    page.get_by_role("button", name="Take this case").click()
    expect(page.get_by_role("alert")).to_contain_text("A colleague has already taken this case.")


def test_a_retake_is_asked_for_by_touching_the_body(
    open_desk: Callable[..., Page], relay: FakeRelay, shot: Callable[..., Any]
) -> None:
    page = open_desk(f"#/case/{FIRST}", language="ar")
    answer = page.locator(".answer")
    answer.locator(".answer-choice button").last.click()
    answer.get_by_role("button", name="صوت القلب").click()
    places = {site: answer.locator(f"[data-site={site}]").bounding_box() for site in ("A", "M")}
    assert places["A"] is not None
    assert places["M"] is not None
    assert places["A"]["x"] < places["M"]["x"], "the patient's left is on the right, in Arabic too"
    answer.locator("[data-site=M]").click()
    shot(page, "retake-ar")
    answer.locator("button[type=submit]").click()
    expect(answer.get_by_text("أُرسل إلى")).to_be_visible()
    sent = relay.cases[FIRST]["messages"][0]
    assert (sent["kind"], sent["step"], sent["site"]) == ("retake", "heart_sound", "M")


def test_ask_again_on_a_recording_fills_in_its_place(
    open_desk: Callable[..., Page], relay: FakeRelay
) -> None:
    page = open_desk(f"#/case/{FIRST}/ears")
    page.locator(".ear").last.get_by_role("button", name="Ask again").click()
    expect(page.locator(".where-said")).to_contain_text("Ear · Left ear")
    page.get_by_role("button", name="Ask for it").click()
    expect(page.locator(".answer").get_by_text("Sent to Anfgou")).to_be_visible()
    assert relay.cases[FIRST]["messages"][0]["side"] == "left"


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_three_cases_go_from_inbox_to_signed_opinion_by_mouse_by_keyboard_and_by_touch(
    open_desk: Callable[..., Page], relay: FakeRelay, shot: Callable[..., Any], language: str
) -> None:
    hands = ((Mouse, FIRST), (Keyboard, ident(512)), (Finger, ident(768)))
    for kind, case in hands:
        page = open_desk("", language=language, size=kind.size)
        expect(page.locator(f'.row[href="#/case/{case}"]')).to_be_visible()
        hand = kind(page)
        hand.use(f'.row[href="#/case/{case}"]')
        expect(page.locator(".strip-name").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        hand.use(".answer .answer-claim .button-main")
        expect(page.locator("#impression")).to_be_visible()
        hand.write("#impression", "Rien d'inquiétant." if language == "fr" else "لا شيء مقلق.")
        hand.use(".answer .choice-certain, .answer [name=certainty]")
        hand.write("#advice", "Revoir dans un mois.")
        hand.use(".answer .choice-routine, .answer [name=urgency]")
        hand.use(".answer .choice-yes, .answer [name=transfer]")
        hand.use(".answer .answer-foot .button-main")
        hand.write("#sign-password", PASSWORD)
        hand.use(".dialog-sign .button-main")
        expect(page.locator(".answer .note-ok")).to_be_visible()
        shot(page, f"signed-{kind.__name__.lower()}-{language}")
    assert [relay.cases[case]["state"] for _, case in hands] == ["answered"] * 3
    signed = [relay.cases[case]["opinions"][0] for _, case in hands]
    assert {(one["certainty"], one["urgency"], one["transfer"]) for one in signed} == {
        ("certain", "routine", True)
    }
