"""The coaches and the meters, in each of their states."""

from screens.sights import PRESSURE, sight
from screens.stage import Stage

LIVE = ".hint-ok"
ADVICE = ".hint-attention"


def live(stage: Stage, instrument: str, place: str, *reasons: str) -> None:
    """Open a coach on a good signal, or on one with these faults."""
    if reasons:
        stage.edge.judge(instrument, *reasons)
    stage.visit(place)
    stage.sees(ADVICE if reasons else LIVE)


@sight
def oximeter(stage: Stage) -> None:
    live(stage, "oximeter", "oximeter")


@sight
def oximeter_cold(stage: Stage) -> None:
    live(stage, "oximeter", "oximeter", "low_perfusion")


@sight
def oximeter_absent(stage: Stage) -> None:
    stage.edge.devices["oximeter"]["state"] = "absent"
    stage.visit("oximeter")
    stage.sees(".absent")


@sight
def oximeter_recording(stage: Stage) -> None:
    stage.draft()
    stage.running("oximetry")
    stage.at("visit/oximeter")
    stage.sees("count-ring")


@sight
def oximeter_good(stage: Stage) -> None:
    stage.draft()
    stage.ended("oximetry")
    stage.at("visit/oximeter")
    stage.sees(".coach.result")


@sight
def oximeter_poor(stage: Stage) -> None:
    stage.draft()
    stage.ended("oximetry", "", "motion", tries=1)
    stage.at("visit/oximeter")
    stage.sees(".coach.result")


@sight
def skip(stage: Stage) -> None:
    oximeter(stage)
    stage.hand.touch("coach.skip")
    stage.sees("dialog")


@sight
def ecg(stage: Stage) -> None:
    live(stage, "ecg", "ecg")


@sight
def ecg_lead_off(stage: Stage) -> None:
    live(stage, "ecg", "ecg", "lead_off:V2")


@sight
def ecg_american(stage: Stage) -> None:
    stage.at()
    stage.edge.electrodes = "aha"
    stage.edge.tell({"type": "status", "status": stage.edge.status()})
    live(stage, "ecg", "ecg", "lead_off:RA")
    stage.edge.electrodes = "iec"
    stage.edge.tell({"type": "status", "status": stage.edge.status()})


@sight
def ecg_swapped(stage: Stage) -> None:
    live(stage, "ecg", "ecg", "lead_swap:RA/LA")


@sight
def ecg_recording(stage: Stage) -> None:
    stage.draft()
    stage.running("ecg")
    stage.at("visit/ecg")
    stage.sees("count-ring")


@sight
def ecg_good(stage: Stage) -> None:
    stage.draft()
    stage.ended("ecg")
    stage.at("visit/ecg")
    stage.sees(".coach.result")


@sight
def cart(stage: Stage) -> None:
    stage.edge.cart_brings("same", "2026-03-14T09:32:05")
    stage.edge.cart_brings("other", "2026-03-14T10:32:05")
    stage.visit("ecg")
    stage.sees(".cart-offer .choice")


@sight
def cart_other(stage: Stage) -> None:
    cart(stage)
    stage.page.locator(".choice").first.click()
    stage.hand.main()
    stage.sees("dialog")


@sight
def heart(stage: Stage) -> None:
    stage.draft()
    stage.taken("heart_sound", "A", "P")
    stage.at("visit/stethoscope")
    stage.sees(LIVE)


@sight
def heart_friction(stage: Stage) -> None:
    live(stage, "stethoscope", "stethoscope", "friction")


@sight
def heart_good(stage: Stage) -> None:
    stage.draft()
    stage.ended("heart_sound", "A")
    stage.at("visit/stethoscope")
    stage.sees(".coach.result")


@sight
def lungs_front(stage: Stage) -> None:
    live(stage, "stethoscope", "lungs")


@sight
def lungs_back(stage: Stage) -> None:
    stage.draft()
    stage.taken("lung_sound", "Ar", "Al", "Lr", "Ll")
    stage.at("visit/lungs")
    stage.sees(LIVE)


@sight
def ears(stage: Stage) -> None:
    stage.visit("otoscope")
    stage.sees(".ear-right")


@sight
def ear(stage: Stage) -> None:
    live(stage, "otoscope", "otoscope/right")


@sight
def ear_dark(stage: Stage) -> None:
    live(stage, "otoscope", "otoscope/left", "underexposed")


@sight
def ear_good(stage: Stage) -> None:
    stage.draft()
    stage.ended("otoscopy", "right")
    stage.at("visit/otoscope/right")
    stage.sees(".still")


@sight
def skin_where(stage: Stage) -> None:
    stage.draft()
    stage.taken("photo", "hand_r")
    stage.at("visit/photo")
    stage.sees(".skin-place")


@sight
def skin_back(stage: Stage) -> None:
    stage.visit("photo")
    stage.hand.touch("lungs.lung-back")
    stage.sees("[data-site=upper_back]")


@sight
def skin(stage: Stage) -> None:
    live(stage, "otoscope", "photo/hand_r")


@sight
def skin_blurred(stage: Stage) -> None:
    live(stage, "otoscope", "photo/face", "out_of_focus")


@sight
def skin_good(stage: Stage) -> None:
    stage.draft()
    stage.ended("photo", "hand_r")
    stage.at("visit/photo/hand_r")
    stage.sees(".still")


@sight
def oximetry_typed(stage: Stage) -> None:
    stage.visit("vital/oximetry")
    stage.sees(".keypad")
    stage.page.keyboard.type("94")


@sight
def pressure_typed(stage: Stage) -> None:
    stage.visit("vital/blood_pressure")
    stage.sees(".keypad")
    stage.page.keyboard.type("410")


@sight
def breaths(stage: Stage) -> None:
    stage.visit("vital/respiration")
    stage.sees(".page-foot .main-button")


@sight
def breaths_counted(stage: Stage) -> None:
    breaths(stage)
    stage.hand.touch("breath.count")
    stage.page.locator(".breath").click()
    stage.page.locator(".breath").click()
    stage.sees(".breath-count")


@sight
def glucose(stage: Stage) -> None:
    stage.visit("vital/glucose")
    stage.sees(".keypad")
    stage.page.keyboard.type("110")


@sight
def meter_waits(stage: Stage) -> None:
    stage.edge.add_meter("blood_pressure", "blood-pressure")
    stage.visit("vital/blood_pressure")
    stage.sees(".meter")


@sight
def meter_doubt(stage: Stage) -> None:
    stage.edge.add_meter("blood_pressure", "blood-pressure")
    stage.edge.measure("blood_pressure", *PRESSURE, reasons=("motion",))
    stage.visit("vital/blood_pressure")
    stage.sees(ADVICE)
