"""What comes after a visit, the box itself, and training."""

import time

from kiosk.fake_training import course
from screens.sights import sight
from screens.stage import Stage

LESSONS = 21


def case_at(stage: Stage, state: str, percent: int = 100, **words: object) -> str:
    case = stage.case(**words)
    stage.edge.far.move(case, state, percent)
    return case


@sight
def case_saved(stage: Stage) -> None:
    stage.edge.uplink = "offline"
    stage.at(f"case/{case_at(stage, 'on_box', 0)}")
    stage.sees(".road")


@sight
def case_travelling(stage: Stage) -> None:
    stage.at(f"case/{case_at(stage, 'travelling', 43)}")
    stage.sees(".road")


@sight
def case_opened(stage: Stage) -> None:
    stage.at(f"case/{case_at(stage, 'opened')}")
    stage.sees(".road")


@sight
def case_refused(stage: Stage) -> None:
    case = case_at(stage, "on_box", 0)
    stage.edge.far.cases[case]["refused"] = "unsealed"
    stage.at(f"case/{case}")
    stage.sees(".hint-bad")


@sight
def case_escalates(stage: Stage) -> None:
    case = case_at(stage, "at_relay", urgency="emergency")
    stage.edge.far.cases[case]["created_ms"] = round(time.time() * 1000) - 200_000
    stage.at(f"case/{case}")
    stage.sees(".escalation")


@sight
def case_retake(stage: Stage) -> None:
    case = case_at(stage, "opened")
    stage.edge.far.ask_again(case, "M", "Plus longtemps, côté gauche")
    stage.at(f"case/{case}")
    stage.sees(".hint-attention")


@sight
def retake_board(stage: Stage) -> None:
    continues = {
        "case": "c1",
        "message": "c1-m",
        "step": "heart_sound",
        "site": "M",
        "side": "",
        "text": "Plus longtemps",
    }
    stage.visit("tiles", continues=continues)
    stage.sees(".again-words")


def spoken(stage: Stage, state: str) -> str:
    """An answer with a voice, and where its sound is."""
    case = case_at(stage, "answered")
    stage.edge.far.answer(case)
    voice = {"id": "v1", "length_ms": 23_400, "bytes": 28_100, "state": state}
    stage.edge.far.full[case]["opinions"][0]["voice"] = voice
    return case


@sight
def answer_spoken(stage: Stage) -> None:
    stage.at(f"case/{spoken(stage, 'here')}/answer")
    stage.sees(".answer-voice .voice-play")


@sight
def answer_voice_coming(stage: Stage) -> None:
    stage.at(f"case/{spoken(stage, 'arriving')}/answer")
    stage.sees(".voice-coming")


def called(stage: Stage, **words: object) -> None:
    """A specialist calls about a case."""
    case = case_at(stage, "opened")
    stage.at(f"case/{case}")
    call = {
        "id": "0011223344556677", "state": "ringing", "reason": "", "case": case, "initials": "FB",
        "simulated": True, "consent": ["care"], "caller": {"name": "Dr K. Amrani", "specialty": "cardiology"},
        "sdp": "", "ice": [], "held": False, "rate": 60_000,
    }  # fmt: skip
    stage.page.evaluate(SHOW_CALL, [call | words, "talking" if words.get("state") == "talking" else ""])


SHOW_CALL = """([call, callWay]) => import('/kiosk/store.js').then(({ set }) =>
  set({ call, callWay, callSince: performance.now() }))"""


@sight
def call_rings(stage: Stage) -> None:
    called(stage)
    stage.sees(".ring")


@sight
def call_talked(stage: Stage) -> None:
    called(stage, state="talking")
    stage.sees(".call-strip")


@sight
def call_held(stage: Stage) -> None:
    called(stage, state="talking", held=True)
    stage.sees(".call-strip")


@sight
def call_lost(stage: Stage) -> None:
    called(stage, state="over", reason="media")
    stage.sees(".call-over")


@sight
def answer(stage: Stage) -> None:
    case = case_at(stage, "answered")
    stage.edge.far.answer(case)
    stage.at(f"case/{case}/answer")
    stage.sees(".todo")


@sight
def answer_unverified(stage: Stage) -> None:
    case = case_at(stage, "answered")
    stage.edge.far.answer(case, verified=False, transfer=True, urgency="emergency")
    stage.at(f"case/{case}/answer")
    stage.sees(".hint-bad")


@sight
def answer_paper(stage: Stage) -> None:
    answer(stage)
    stage.hand.touch("answer.print")
    stage.sees("dialog")


@sight
def devices(stage: Stage) -> None:
    stage.edge.add_meter("blood_pressure", "blood-pressure")
    stage.edge.devices["otoscope"]["state"] = "absent"
    stage.at("devices")
    stage.sees(".page-body button")


@sight
def health(stage: Stage) -> None:
    stage.edge.celsius = 82.0
    stage.at("health")
    stage.sees(".support-code")


@sight
def update(stage: Stage) -> None:
    stage.draft()
    stage.at("update")
    stage.sees(".update-checks li")


NEXT = {"version": "0.2.0", "by": "Programme Atlas", "made": "2026-11-20", "bytes": 190_000_000}


def updates(stage: Stage, **words: object) -> None:
    """Lay the box out for updates, with what is there."""
    last = words.pop("last", None)
    empty = {"on": True, "quiet": True, "version": "0.1.0", "wanted": "", "available": None, "refused": []}
    told = {"version": "0.2.0", "before": "0.1.0", "percent": 40, "at_ms": round(time.time() * 1000)}
    stage.edge.update = empty | words | {"last": told | last if isinstance(last, dict) else None}


@sight
def update_there(stage: Stage) -> None:
    refused = [{"version": "0.3.0", "reason": "other_machine"}]
    updates(stage, available=NEXT | {"place": "stick"}, refused=refused)
    stage.at("update")
    stage.sees(".hint-ok")


@sight
def update_asked(stage: Stage) -> None:
    updates(stage, available=NEXT | {"place": "box"})
    stage.at("update")
    stage.page.locator(".page-foot .main-button").click()
    stage.sees("dialog")


@sight
def update_copying(stage: Stage) -> None:
    updates(stage, available=NEXT | {"place": "stick"}, last={"state": "copying", "reason": ""})
    stage.at("update")
    stage.sees(".update-running")


@sight
def update_rolled_back(stage: Stage) -> None:
    refused = [{"version": "0.2.0", "reason": "did_not_start"}]
    updates(stage, last={"state": "rolled_back", "reason": "did_not_start"}, refused=refused)
    stage.at("update")
    stage.sees(".hint-bad")


@sight
def about(stage: Stage) -> None:
    stage.at()
    stage.hand.touch("about.title")
    stage.sees("dialog")


@sight
def blank(stage: Stage) -> None:
    stage.at()
    stage.hand.touch("blank.title")
    stage.sees(".blank")


# --- training ----------------------------------------------------------------------------------------


@sight
def training(stage: Stage) -> None:
    stage.edge.course = course(passed=5)
    stage.at("training")
    stage.sees(".lesson-row")


@sight
def lesson(stage: Stage) -> None:
    stage.edge.course = course(passed=5)
    stage.at("training/electrodes")
    stage.sees(".situation")


@sight
def lesson_strip(stage: Stage) -> None:
    stage.edge.course = course(passed=4, open_="whole")
    stage.edge.training = "whole"
    stage.visit("tiles", training="whole")
    stage.sees(".training-strip")


@sight
def lesson_task(stage: Stage) -> None:
    lesson_strip(stage)
    stage.hand.touch("training.task")
    stage.sees("dialog")


@sight
def lesson_question(stage: Stage) -> None:
    stage.edge.course = course(passed=4, open_="oximeter")
    stage.edge.training = "oximeter"
    stage.at("training/finish")
    stage.sees(".training-steps")


@sight
def lesson_hands(stage: Stage) -> None:
    stage.edge.course = course(passed=14, open_="fault_cold")
    stage.edge.training = "fault_cold"
    stage.visit("tiles")
    stage.hand.touch("training.hands")
    stage.sees(".hands-acts")


@sight
def lesson_answer(stage: Stage) -> None:
    stage.edge.course = course(passed=12, open_="answer")
    stage.edge.training = "answer"
    stage.at("training/answer")
    stage.sees(".todo")


@sight
def lesson_passed(stage: Stage) -> None:
    stage.edge.course = course(passed=5, ended="oximeter")
    stage.at("training/result")
    stage.sees(".score-number")


@sight
def lesson_failed(stage: Stage) -> None:
    stage.edge.course = course(passed=5, ended="electrodes", good=False)
    stage.at("training/result")
    stage.sees(".score-number")


@sight
def certificate(stage: Stage) -> None:
    stage.edge.course = course(passed=LESSONS)
    stage.at("training/certificate")
    stage.sees(".certificate")


@sight
def two_uplinks(stage: Stage) -> None:
    stage.edge.route = "VSAT Thuraya"
    stage.case(0)
    stage.at()
    stage.sees(".bar-route")


@sight
def queue(stage: Stage) -> None:
    for number, state in enumerate(("on_box", "travelling")):
        case = stage.case(number, reason="cough", urgency="routine" if number else "urgent")
        stage.edge.far.move(case, state, 43)
    stage.edge.sticks["sticks"] = [{"name": "CHEVET", "free_bytes": 7_800_000_000, "brings": True}]
    stage.at("queue")
    stage.sees(".courier-stick")


@sight
def queue_carried(stage: Stage) -> None:
    stage.case(0)
    stage.edge.sticks["sticks"] = [{"name": "CHEVET", "free_bytes": 7_800_000_000, "brings": False}]
    done = {"name": "CHEVET", "way": "to", "state": "done", "code": "", "written": 3, "there": 1, "left": 1}
    stage.edge.sticks["work"] = done
    stage.at("queue")
    stage.sees(".hint-ok")
