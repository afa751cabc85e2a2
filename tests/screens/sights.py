"""Every screen of the kiosk by name: how its state is made, and what must be seen before it is looked at."""

import time
from collections.abc import Callable

from kiosk.fake_signals import eardrum
from screens.stage import DAY_MS, Stage

Sight = Callable[[Stage], None]
SIGHTS: dict[str, Sight] = {}
PRESSURE = (("systolic", 152, "mm[Hg]"), ("diastolic", 91, "mm[Hg]"), ("pulse_rate", 78, "/min"))


def sight(make: Sight) -> Sight:
    """Add a screen under its function's name."""
    SIGHTS[make.__name__.replace("_", "-")] = make
    return make


# --- before a visit ----------------------------------------------------------------------------------


@sight
def who(stage: Stage) -> None:
    stage.at(signed_in=False)
    stage.sees(".worker")


@sight
def pin(stage: Stage) -> None:
    stage.at(signed_in=False)
    stage.page.locator(".worker").first.click()
    stage.page.keyboard.type("12")


@sight
def nobody(stage: Stage) -> None:
    stage.edge.workers = []
    stage.at(signed_in=False)
    stage.sees(".empty")


@sight
def start_empty(stage: Stage) -> None:
    stage.at()
    stage.sees(".empty")


@sight
def start_cases(stage: Stage) -> None:
    for number, (state, reason) in enumerate(
        [("on_box", "cough"), ("travelling", "fever"), ("at_relay", "ear_pain"), ("answered", "palpitations")]
    ):
        case = stage.case(number, reason=reason, urgency="routine" if number else "emergency")
        stage.edge.far.move(case, state, 43)
    stage.edge.far.answer("c3")
    stage.edge.far.ask_again("c2", "M", "Plus longtemps")
    stage.at()
    stage.sees(".case-row")


@sight
def start_draft(stage: Stage) -> None:
    stage.draft()
    stage.at()
    stage.sees(".start-draft")


@sight
def offer(stage: Stage) -> None:
    stage.edge.come_into_reach("blood_pressure", "blood-pressure", name="A&D_UA-651BLE")
    stage.at()
    stage.sees(".offer")


@sight
def disk_full(stage: Stage) -> None:
    stage.edge.disk = "full"
    stage.edge.uplink = "offline"
    stage.edge.power = {"source": "battery", "percent": 14}
    stage.at()
    stage.sees(".alert")


@sight
def danger(stage: Stage) -> None:
    stage.at("danger")
    stage.sees(".choice")


@sight
def call(stage: Stage) -> None:
    danger(stage)
    stage.hand.touch("sign.bleeding")
    stage.hand.main()
    stage.sees(".call-now")


@sight
def call_stroke(stage: Stage) -> None:
    danger(stage)
    stage.hand.touch("sign.stroke")
    stage.hand.main()
    stage.sees(".call-now")
    stage.page.evaluate("sessionStorage.clear()")


@sight
def patient(stage: Stage) -> None:
    stage.at("patient")
    stage.sees(".case-row")


@sight
def patient_none(stage: Stage) -> None:
    stage.at("patient")
    stage.page.locator("input[type=search]").fill("Zineb")
    stage.sees(".empty")


@sight
def new_patient(stage: Stage) -> None:
    stage.at("patient")
    stage.hand.touch("patient.new")
    stage.sees("input")


@sight
def touch_keys(stage: Stage) -> None:
    new_patient(stage)
    stage.page.locator("input").first.tap()
    stage.sees(".touch-keys")


@sight
def confirm(stage: Stage) -> None:
    patient(stage)
    stage.page.locator(".case-row").first.click()
    stage.sees(".identifier")
    stage.page.locator(".identifier").first.click()


@sight
def card(stage: Stage) -> None:
    confirm(stage)
    stage.hand.touch("card.print")
    stage.sees(".patient-card")


@sight
def badge_unknown(stage: Stage) -> None:
    stage.at(signed_in=False)
    stage.page.keyboard.type("99887766\n")
    stage.sees(".field-error")


@sight
def card_look(stage: Stage) -> None:
    stage.at("patient")
    stage.hand.touch("card.look")
    stage.sees(".finder canvas")


@sight
def photo(stage: Stage) -> None:
    confirm(stage)
    stage.hand.touch("photo.take")
    stage.sees(".finder canvas")


@sight
def confirm_photo(stage: Stage) -> None:
    stage.edge.photos["p1"] = eardrum(2)
    confirm(stage)
    stage.sees(".patient-photo")


@sight
def tiles_unasked(stage: Stage) -> None:
    stage.visit("tiles", override="emergency")
    stage.sees(".ask-consent")


# --- the visit ---------------------------------------------------------------------------------------


@sight
def consent(stage: Stage) -> None:
    stage.visit("consent")
    stage.sees(".purpose")


@sight
def consent_refused(stage: Stage) -> None:
    consent(stage)
    stage.hand.touch("consent.refuse")
    stage.sees("dialog")


@sight
def reason(stage: Stage) -> None:
    stage.visit("reason")
    stage.sees(".choice")


@sight
def history(stage: Stage) -> None:
    stage.visit("history", history={"since": "days", "symptom.swelling": "yes"})
    stage.sees(".history-sign")


@sight
def tiles(stage: Stage) -> None:
    stage.edge.devices["otoscope"]["state"] = "absent"
    stage.visit("tiles")
    stage.sees(".tile")


@sight
def tiles_done(stage: Stage) -> None:
    stage.draft(skips=[{"step": "glucose", "site": "", "side": "", "reason": "not_needed"}])
    for step, places in (("oximetry", ()), ("heart_sound", tuple("APETM")), ("otoscopy", ("right",))):
        stage.taken(step, *places)
    stage.taken("ecg", poor=True)
    stage.vitals()
    stage.at("visit/tiles")
    stage.sees(".chip-ok")


@sight
def onset(stage: Stage) -> None:
    stage.visit("onset", path="stroke")
    stage.sees(".onset-about")


@sight
def nihss(stage: Stage) -> None:
    stage.visit("sheet/nihss", path="stroke", history={"nihss.1a": "0"})
    stage.sees(".sheet-answer")


@sight
def nihss_whole(stage: Stage) -> None:
    items = ["1a", "1b", "1c", "2", "3", "4", "5a", "5b", "6a", "6b", "7", "8", "9", "10", "11"]
    answers = {f"nihss.{item}": "1" for item in items} | {"nihss.7": "un"}
    stage.visit("sheet/nihss", path="stroke", history=answers)
    stage.sees(".sheet-row")


@sight
def newborn(stage: Stage) -> None:
    stage.visit("sheet/newborn", path="newborn")
    stage.sees(".sheet-answer")


@sight
def stroke_board(stage: Stage) -> None:
    at = round(time.time() * 1000) - 95 * 60_000
    stage.draft(path="stroke", urgency="emergency", history={"onset.at": str(at), "onset.how": "woke_up"})
    stage.vitals()
    stage.at("visit/tiles")
    stage.sees(".urgent-step")


@sight
def chest_pain_board(stage: Stage) -> None:
    stage.visit("tiles", path="chest_pain", urgency="emergency")
    stage.sees(".urgent-step")


@sight
def newborn_board(stage: Stage) -> None:
    stage.visit("tiles", path="newborn", urgency="emergency")
    stage.sees(".urgent-step")


@sight
def follow_up(stage: Stage) -> None:
    stage.visit("follow_up")
    stage.sees(".choice")


@sight
def trends(stage: Stage) -> None:
    now = round(time.time() * 1000)
    stage.edge.earlier["weight"] = [
        {"visit": f"v{n}", "at_ms": now - days * DAY_MS, "value": value, "unit": "kg"}
        for n, (days, value) in enumerate([(40, 61.0), (21, 60.4), (9, 60.9), (2, 61.2)])
    ]
    stage.edge.prompts = [
        {"programme": "heart_failure", "code": "weight_gain", "kind": "weight", "value": 2.3, "limit": 2.0,
         "unit": "kg", "days": 3, "source": "ESC HF 2021"}
    ]  # fmt: skip
    stage.draft(history={"programme.heart_failure": "yes", "since": "weeks"}, reason="heart_failure")
    stage.vitals()
    stage.at("visit/trends")
    stage.sees(".trend-dot")


@sight
def review(stage: Stage) -> None:
    stage.draft(history={"since": "days", "symptom.swelling": "yes", "symptom.cough": "no"})
    stage.taken("oximetry")
    stage.taken("ecg", poor=True)
    stage.taken("heart_sound", *"APETM")
    stage.vitals()
    stage.at("visit/review")
    stage.sees(".recording-row")


@sight
def review_empty(stage: Stage) -> None:
    stage.visit("review")
    stage.sees(".empty")


@sight
def question(stage: Stage) -> None:
    stage.visit("question", history={"since": "days", "symptom.swelling": "yes"})
    stage.sees("textarea")


@sight
def address(stage: Stage) -> None:
    stage.edge.uplink = "offline"
    stage.visit("address", question="?")
    stage.sees(".choice")
