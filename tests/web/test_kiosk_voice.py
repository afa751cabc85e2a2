"""Tamazight from sign-in to the examinations; the voice speaks, gives way, and each worker chooses;
a call ends on the page that took it, and closes what it opened."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from kiosk.kiosk_browser import PATIENCE_MS, edge, hand, kiosk_chromium  # noqa: F401
from kiosk.worker_hand import Hand
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.web

# Sounds go on for ever, so that only the page itself can stop one; what was played is kept to be looked at.
KEEP_SOUNDS = """() => {
  const play = HTMLMediaElement.prototype.play;
  window.played = [];
  HTMLMediaElement.prototype.play = function () {
    this.loop = true;
    window.played.push({ sound: this, name: this.src.split("/").pop() });
    return play.call(this);
  };
}"""


def said(page: Page) -> list[str]:
    names: list[str] = page.evaluate("played.map(({ name }) => name)")
    return names


def until(page: Page, true: str) -> None:
    """Wait until an expression holds; the page's policy lets nobody wait inside it."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(true):
        assert time.monotonic() < end, f"never true: {true}; heard {said(page)}"
        page.wait_for_timeout(50)


def says(page: Page, name: str) -> None:
    """Wait until a prompt is heard."""
    until(page, f"played.some((one) => one.name === '{name}' && !one.sound.paused)")


def silent(page: Page) -> None:
    until(page, "played.every(({ sound }) => sound.paused)")


def fonts_of(page: Page, selector: str) -> list[dict[str, Any]]:
    """Fonts that the browser really used for an element's letters."""
    line = page.context.new_cdp_session(page)
    line.send("DOM.enable")
    line.send("CSS.enable")
    root = line.send("DOM.getDocument")["root"]["nodeId"]
    node = line.send("DOM.querySelector", {"nodeId": root, "selector": selector})["nodeId"]
    fonts: list[dict[str, Any]] = line.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
    return fonts


def test_a_worker_reads_tamazight_from_sign_in_to_the_examinations(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("zgh", "small")
    page = worker.page
    worker.sees("about.unconfirmed")
    worker.fits("sign-in")
    page.evaluate("document.fonts.ready")
    assert {(font["familyName"], font["isCustomFont"]) for font in fonts_of(page, ".welcome p")} == {
        ("Noto Sans Tifinagh", True),
        ("Noto Sans", True),
    }
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["zgh", "ltr"]
    page.evaluate(KEEP_SOUNDS)
    worker.sign_in()
    worker.fits("start")
    worker.to_tiles()
    worker.fits("tiles")
    expect(page.get_by_role("img", name=worker.text("voice.none"))).to_be_visible()
    larger = page.evaluate("parseFloat(getComputedStyle(document.querySelector('h1')).fontSize)")
    page.get_by_role("button", name=worker.text("voice.on")).click()
    page.wait_for_function(
        "larger => parseFloat(getComputedStyle(document.querySelector('h1')).fontSize) < larger", arg=larger
    )
    assert said(page) == []


def test_the_words_of_time_and_number_are_tamazight(hand: Callable[..., Hand]) -> None:  # noqa: F811
    page = hand("zgh", "small").page
    spoken = page.evaluate("""async () => {
      const { age, date, number, t } = await import("/shared/i18n.js");
      const at = new Date(2026, 10, 22, 9, 5).getTime();
      const hour = { weekday: "long", hour: "2-digit", minute: "2-digit", hour12: false };
      const typed = [0, 1, 4].map((n) => t("signin.typed", { n }));
      return [date(at), date(at, hour), number(1234.5), age(60), age(7200), age(3 * 86400), ...typed];
    }""")
    assert spoken[0] == "22 ⵏⵓⵡⴰⵏⴱⵉⵔ 2026"
    assert spoken[1].startswith("ⴰⵙⴰⵎⴰⵙ")
    assert "09:05" in spoken[1]
    assert spoken[2].replace("\u202f", " ").replace("\u00a0", " ") in {"1 234,5", "1.234,5"}
    assert spoken[3:6] == ["1 ⵜⵓⵙⴷⵉⴷⵜ", "2 ⵏ ⵜⵙⵔⴰⴳⵉⵏ", "3 ⵏ ⵡⵓⵙⵙⴰⵏ"]
    assert spoken[6:] == ["0 ⵏ ⵡⵓⵟⵟⵓⵏⵏ", "1 ⵡⵓⵟⵟⵓⵏ", "4 ⵏ ⵡⵓⵟⵟⵓⵏⵏ"]


def test_the_voice_says_a_step_and_stops_at_the_first_touch(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr", "small")
    page = worker.page
    page.evaluate(KEEP_SOUNDS)
    worker.sign_in()
    worker.touch("start.new")
    says(page, "danger.title.opus")
    page.get_by_role("heading", level=1).click()
    silent(page)
    worker.touch("voice.again")
    until(page, "played.length === 2 && !played[1].sound.paused")
    page.keyboard.press("Shift")
    silent(page)
    worker.touch("voice.on")
    worker.touch("danger.none")
    worker.heading("patient.title")
    expect(page.get_by_role("button", name=worker.text("voice.on"))).to_have_attribute(
        "aria-pressed", "false"
    )
    expect(page.locator(".voice-again")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("button", name=worker.text("voice.on"))).to_have_attribute(
        "aria-pressed", "false"
    )
    kept = page.evaluate("Object.entries(localStorage).filter(([name]) => name.startsWith('chevet.voice'))")
    assert [choice for _, choice in kept] == ["off"]


def test_the_voice_is_silent_over_a_recording_and_over_a_heart_that_is_heard_again(
    hand: Callable[..., Hand],  # noqa: F811
) -> None:
    worker = hand("fr", "small")
    page = worker.page
    page.evaluate(KEEP_SOUNDS)
    worker.sign_in()
    worker.to_tiles()
    worker.exam("heart_sound")
    says(page, "exam.heart_sound.opus")
    worker.sees("coach.good")
    worker.edge.speed = 0.2  # long enough for a busy machine to be in the middle of it
    worker.main()
    expect(page.locator("count-ring")).to_be_visible()
    silent(page)
    before = said(page)
    page.evaluate("import('/kiosk/voice.js').then(({ say }) => say('Cœur'))")
    assert said(page) == before
    worker.edge.speed = 12
    expect(page.locator(".coach.result")).to_be_visible(timeout=30_000)
    worker.touch("sound.play")
    until(page, "document.querySelector('audio') && !document.querySelector('audio').paused")
    assert (
        page.evaluate("played.filter(({ sound, name }) => name.endsWith('.opus') && !sound.paused).length")
        == 0
    )
    before = said(page)
    page.evaluate("import('/kiosk/voice.js').then(({ say }) => say('Cœur'))")
    assert said(page) == before
    worker.touch("sound.pause")
    worker.touch("voice.again")
    says(page, "exam.heart_sound.opus")


# What the browser gives of microphone and camera is kept to be looked at; `give` answers a question late.
KEEP_TRACKS = """() => {
  const media = navigator.mediaDevices, ask = media.getUserMedia.bind(media);
  window.given = [];
  window.late = null;
  media.getUserMedia = async (wanted) => {
    if (late) await new Promise((done) => late.push(done));
    const stream = await ask(wanted);
    given.push(...stream.getTracks());
    return stream;
  };
  window.give = () => late.splice(0).forEach((done) => done());
  window.offer = async () => {
    const caller = new RTCPeerConnection();
    caller.addTransceiver('audio');
    caller.addTransceiver('video');
    await caller.setLocalDescription(await caller.createOffer());
    return caller.localDescription.sdp;
  };
  window.states = () => given.map(({ readyState }) => readyState);
}"""
TOLD = "(call) => import('/kiosk/call-state.js').then(({ callTold }) => callTold(call))"
TAKE = """async (call) => {
  const { takeCall, callTold } = await import('/kiosk/call-state.js');
  callTold(call);
  await takeCall({ ...call, sdp: await offer() });
}"""
LEAVE_MICROPHONE = """async (call) => {
  const { hangUp, takeCall, callTold } = await import('/kiosk/call-state.js');
  const { now } = await import('/kiosk/store.js');
  callTold(call);
  late = [];
  const taking = takeCall({ ...call, sdp: await offer() });
  await hangUp();
  give();
  await taking;
  return [states(), now().call.reason, now().callWay];
}"""
TAKEN_WHILE_ASKED = """async (call) => {
  const { takeCall, callTold } = await import('/kiosk/call-state.js');
  callTold(call);
  late = [];
  const taking = takeCall({ ...call, sdp: await offer() });
  callTold({ ...call, state: 'talking' });
  give();
  late = null;
  await taking;
  return states();
}"""
LEAVE_CAMERA = """async () => {
  const { CallMedia } = await import('/shared/call-media.js');
  late = null;
  const media = await CallMedia.open([], { way: () => undefined, picture: () => undefined });
  await media.answer(await offer());
  late = [];
  const showing = media.show(true, 1e6);
  media.close();
  give();
  return [await showing, states()];
}"""
SIGN_OUT_BY_ITSELF = """async () => {
  const { endSession } = await import('/kiosk/attempt.js');
  const { now } = await import('/kiosk/store.js');
  const before = states();
  endSession();
  return [before, states(), now().call];
}"""
CALL = {
    "id": "0011223344556677",
    "state": "ringing",
    "reason": "",
    "case": "c1",
    "initials": "FB",
    "simulated": True,
    "consent": ["care"],
    "caller": {"name": "Dr Amrani", "specialty": ""},
    "sdp": "",
    "ice": [],
    "held": False,
    "rate": None,
}
TAKEN_ELSEWHERE = {"id": "ffffffffffffffff"}


def told_to_the_box(page: Page) -> list[tuple[str, Any]]:
    """Stand for the box's end of a call; return what it is told, as it comes."""
    told: list[tuple[str, Any]] = []

    def answer(route: Route) -> None:
        body = route.request.post_data_json or {}
        told.append((route.request.url.rpartition("/")[2], body.get("reason")))
        late = body.get("call") == TAKEN_ELSEWHERE["id"]
        refused = {"status": 409, "json": {"error": {"code": "call_over", "message": ""}}}
        route.fulfill(**(refused if late and route.request.url.endswith("/accept") else {"status": 204}))

    page.route("**/api/call/*", answer)
    return told


def test_only_the_page_that_took_a_call_ends_it(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr")
    worker.sign_in()
    page, told = worker.page, told_to_the_box(worker.page)
    page.evaluate(TOLD, CALL)
    worker.sees("ring.title")
    talking = CALL | {"state": "talking"}
    for words in (talking, talking | {"held": True}, talking):  # taken at another screen
        page.evaluate(TOLD, words)
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.evaluate("fetch('/api/call/nothing')")
    assert told == [("nothing", None)]
    page.evaluate(KEEP_TRACKS)
    page.evaluate(TAKE, CALL | TAKEN_ELSEWHERE)
    expect(page.locator(".call-strip")).to_have_count(0)
    assert page.evaluate("states()") == ["ended"]
    assert page.evaluate(TAKEN_WHILE_ASKED, CALL | {"id": "0000000000000001"}) == ["ended"] * 2
    mine = {"id": "8899aabbccddeeff"}
    page.evaluate(TAKE, CALL | mine)
    assert told[1:] == [("accept", None), ("accept", None)], "who came too late ends nothing"
    page.reload()
    page.evaluate(TOLD, talking | mine)
    page.evaluate("fetch('/api/call/nothing')")
    assert told[3:] == [("end", "media"), ("nothing", None)]


def test_no_microphone_and_no_camera_outlives_a_call(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr")
    worker.sign_in()
    page, told = worker.page, told_to_the_box(worker.page)
    page.evaluate(KEEP_TRACKS)
    assert page.evaluate(LEAVE_MICROPHONE, CALL) == [["ended"], "ended", ""]
    assert told == [("end", "ended")]
    assert page.evaluate(LEAVE_CAMERA) == [False, ["ended"] * 3]
    page.evaluate("late = null")
    page.evaluate(TAKE, CALL | {"id": "8899aabbccddeeff"})
    before, after, call = page.evaluate(SIGN_OUT_BY_ITSELF)
    assert before == [*["ended"] * 3, "live"]
    assert after == ["ended"] * 4
    assert call is None
    expect(page.locator(".worker").first).to_be_visible()
