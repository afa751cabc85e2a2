"""The screens of reading and answering at the desk by name: how each is made, and what must be seen first."""

from collections.abc import Callable

from screens.desk_stage import ANSWERED, ARRIVING, EARS, THEIRS, WHOLE, DeskStage

DESK_SIGHTS: dict[str, Callable[[DeskStage], None]] = {}
CALIPERS = """() => { const sheet = document.querySelector('ecg-paper').shadowRoot.querySelector('.sheet');
  sheet.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true })); }"""


def sight(make: Callable[[DeskStage], None]) -> Callable[[DeskStage], None]:
    """Add a screen under its function's name."""
    DESK_SIGHTS[make.__name__.replace("_", "-")] = make
    return make


def _wait_sound(stage: DeskStage) -> None:
    stage.sees("sound-player")
    stage.until("document.querySelector('sound-player').state.loaded")


def dialog(stage: DeskStage, name: str) -> None:
    stage.page.evaluate(f"import('/desk/store.js').then(store => store.set({{ dialog: '{name}' }}))")
    stage.sees("dialog")


# --- coming in ---------------------------------------------------------------------------------------


@sight
def sign_in(stage: DeskStage) -> None:
    stage.fake.user = None
    stage.page.goto(stage.fake.url)
    stage.sees(".sign-in form")


@sight
def inbox(stage: DeskStage) -> None:
    stage.cases()
    stage.sees(".row")


@sight
def inbox_empty(stage: DeskStage) -> None:
    stage.fake.cases = {}
    stage.cases()
    stage.sees(".inbox .blank")


@sight
def inbox_fails(stage: DeskStage) -> None:
    stage.fake.faults["/api/inbox"] = (500, "internal")
    stage.cases()
    stage.sees(".inbox .blank")


@sight
def refused(stage: DeskStage) -> None:
    stage.cases("refused")
    stage.sees(".letter")


# --- reading -----------------------------------------------------------------------------------------


@sight
def ecg(stage: DeskStage) -> None:
    stage.cases(f"case/{WHOLE}/ecg")
    stage.paper()


@sight
def ecg_calipers_and_marks(stage: DeskStage) -> None:
    ecg(stage)
    stage.page.evaluate(CALIPERS)
    stage.page.keyboard.press("m")
    stage.sees(".qt")
    stage.until("document.querySelector('ecg-paper').caliper && document.querySelector('ecg-paper').marks")


@sight
def ecg_cabrera_of_six(stage: DeskStage) -> None:
    ecg(stage)
    stage.page.locator(".tools select").nth(0).select_option("6x2")
    stage.page.locator(".tools select").nth(1).select_option("cabrera")


@sight
def ecg_one_lead(stage: DeskStage) -> None:
    ecg(stage)
    stage.page.locator(".tools select").nth(2).select_option("V2")
    stage.until("document.querySelector('ecg-paper').getAttribute('lead') === 'V2'")


@sight
def ecg_exchanged(stage: DeskStage) -> None:
    stage.fake.swaps = [{"electrodes": ["R", "L"], "confidence": 0.93}]
    stage.fake.gaps = [[1800, 400]]
    ecg(stage)
    stage.sees(".note-attention")


@sight
def ecg_earlier(stage: DeskStage) -> None:
    ecg(stage)
    stage.page.keyboard.press("x")
    stage.sees(".earlier ecg-paper")
    stage.page.locator(".earlier").scroll_into_view_if_needed()


@sight
def ecg_preview(stage: DeskStage) -> None:
    stage.cases(f"case/{ARRIVING}/ecg")
    stage.paper()


@sight
def not_here_yet(stage: DeskStage) -> None:
    for one in stage.fake.cases[ARRIVING]["recordings"]:
        for part in one["layers"].values():
            part["have"] = 0
    stage.cases(f"case/{ARRIVING}/ecg")
    stage.sees(".meanwhile progress")


@sight
def bank_card(stage: DeskStage) -> None:
    ecg(stage)
    stage.press(".under .link")
    stage.sees(".bank-card")


@sight
def sounds(stage: DeskStage) -> None:
    stage.cases(f"case/{WHOLE}/heart")
    _wait_sound(stage)


@sight
def headphones(stage: DeskStage) -> None:
    sounds(stage)
    stage.press("sound-player .play")
    stage.page.evaluate(
        "document.querySelector('sound-player').shadowRoot.querySelector('.notice button').click()"
    )


@sight
def ears(stage: DeskStage) -> None:
    stage.cases(f"case/{WHOLE}/ears")
    stage.pictures()


@sight
def ears_earlier(stage: DeskStage) -> None:
    ears(stage)
    stage.press(".pane > .under .flip")
    stage.sees(".earlier picture-viewer")
    stage.pictures()
    stage.page.locator(".earlier").scroll_into_view_if_needed()


@sight
def photos(stage: DeskStage) -> None:
    stage.cases(f"case/{WHOLE}/photos")
    stage.pictures()


@sight
def vitals(stage: DeskStage) -> None:
    stage.cases(f"case/{WHOLE}/vitals")
    stage.sees("trend-line")


@sight
def nothing_recorded(stage: DeskStage) -> None:
    stage.fake.cases[EARS]["recordings"] = []
    stage.cases(f"case/{EARS}/ecg")
    stage.sees(".meanwhile .blank")


@sight
def conversation(stage: DeskStage) -> None:
    stage.cases(f"case/{ANSWERED}/thread")
    stage.sees(".pane")


@sight
def keys(stage: DeskStage) -> None:
    stage.cases()
    stage.sees(".row")
    stage.page.keyboard.press("?")
    stage.sees("dialog")


# --- answering ---------------------------------------------------------------------------------------


@sight
def answer(stage: DeskStage) -> None:
    stage.mine()
    stage.cases(f"case/{WHOLE}/vitals")
    stage.sees("#impression")
    stage.page.locator("#impression").scroll_into_view_if_needed()


@sight
def sign(stage: DeskStage) -> None:
    answer(stage)
    stage.page.locator("#impression").fill("Souffle systolique au foyer aortique.")
    stage.page.locator("#advice").fill("Échographie dans le mois.")
    for code in ("probable", "urgent", "no"):
        stage.press(f".answer .choice-{code}")
    stage.press(".answer .answer-foot .button-main")
    stage.sees("#sign-password")


@sight
def somebody_elses(stage: DeskStage) -> None:
    stage.cases(f"case/{THEIRS}/vitals")
    stage.sees(".answer")


@sight
def signed(stage: DeskStage) -> None:
    stage.answered()
    stage.cases(f"case/{WHOLE}/vitals")
    stage.page.locator(".answer").scroll_into_view_if_needed()


def _again(stage: DeskStage, step: int) -> None:
    stage.cases(f"case/{WHOLE}/vitals")
    stage.press(".answer-choice button", 1)
    stage.press(".where .choice-chips .chip-button", step)
    stage.page.locator(".where").scroll_into_view_if_needed()


@sight
def again_ecg(stage: DeskStage) -> None:
    _again(stage, 0)


@sight
def again_lungs(stage: DeskStage) -> None:
    _again(stage, 2)


@sight
def again_ear(stage: DeskStage) -> None:
    _again(stage, 3)


@sight
def again_photo(stage: DeskStage) -> None:
    _again(stage, 4)


@sight
def export(stage: DeskStage) -> None:
    stage.mine()
    stage.cases(f"case/{WHOLE}/vitals")
    stage.sees(".case-tools")
    dialog(stage, "export")


@sight
def withdraw(stage: DeskStage) -> None:
    stage.cases(f"case/{WHOLE}/vitals")
    stage.sees(".case-tools")
    dialog(stage, "withdraw")


@sight
def keep_offline(stage: DeskStage) -> None:
    stage.mine()
    stage.cases(f"case/{WHOLE}/vitals")
    stage.sees(".case-tools")
    dialog(stage, "keep")


@sight
def about(stage: DeskStage) -> None:
    stage.cases()
    stage.sees(".row")
    dialog(stage, "about")
