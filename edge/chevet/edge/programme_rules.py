"""Simple rules of follow-up programmes: pure, each with its source, told as prompts and never as a diagnosis.

Sources
    ESC HF 2021: McDonagh et al., guidelines for acute and chronic heart failure (Eur Heart J 2021;42:3599):
        "more than 2 kg in 3 days" in the patient's self-care; oxygen below 90 %; hypotension below 90 mmHg.
    WHO HTN 2021: guideline for the pharmacological treatment of hypertension in adults: target below 140/90.
    ESC HTN 2023: Mancia et al. (J Hypertens 2023;41:1874): grade 3 from 180/110.
    ADA 2024: Standards of Care in Diabetes (Diabetes Care 2024;47 suppl. 1): low below 70 mg/dL (section 6);
        300 mg/dL and more (section 9).
    WHO ANC 2016 and WHO 2011 on pre-eclampsia: 140/90 in pregnancy, severe from 160/110, signs of danger.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

PROGRAMMES = ("heart_failure", "hypertension", "diabetes", "pregnancy")
DAY_MS = 86_400_000
WEIGHT_GAIN_KG, WEIGHT_DAYS = 2.0, 3
PREGNANCY_SIGNS = ("bleeding", "headache", "vision", "swelling", "less_movement", "waters")
HEART_FAILURE_SIGNS = ("lying", "night", "swelling")


@dataclass(frozen=True, slots=True)
class Point:
    """One usable number of one visit."""

    at_ms: int
    value: float


@dataclass(frozen=True, slots=True)
class Prompt:
    """Something a programme wants looked at; `limit` is the source's number, `value` what was found.

    Attributes:
        code: `weight_gain`, `spo2_low`, `pressure_low`, `pressure_high`, `pressure_very_high`, `glucose_low`,
            `glucose_very_high` or `symptom`.
        kind: the vital sign, or the symptom.
        days: over how many days, 0 where it is one number.
    """

    programme: str
    code: str
    kind: str
    value: float
    limit: float
    unit: str
    source: str
    days: int = 0


Series = Mapping[str, Sequence[Point]]
"""Points of each kind, oldest first."""


def prompts(programmes: Sequence[str], series: Series, symptoms: Sequence[str]) -> tuple[Prompt, ...]:
    """Return what the rules of these programmes say; `symptoms` are those present at the newest visit."""
    found: list[Prompt] = []
    for programme in programmes:
        rule = _RULES.get(programme)
        if rule is not None:
            found.extend(rule(series, symptoms))
    return tuple(found)


def weight_gain(points: Sequence[Point]) -> float | None:
    """Return the gain in kg over the lowest weight of the last 3 days, None without a weight to compare."""
    if not points:
        return None
    newest = points[-1]
    before = [one.value for one in points[:-1] if newest.at_ms - one.at_ms <= WEIGHT_DAYS * DAY_MS]
    return newest.value - min(before) if before else None


def _heart_failure(series: Series, symptoms: Sequence[str]) -> list[Prompt]:
    source, name = "ESC HF 2021", "heart_failure"
    found = []
    gain = weight_gain(series.get("weight", ()))
    if gain is not None and gain >= WEIGHT_GAIN_KG:
        found.append(Prompt(name, "weight_gain", "weight", gain, WEIGHT_GAIN_KG, "kg", source, WEIGHT_DAYS))
    found += _below(name, "spo2_low", "spo2", series, 90.0, "%", source)
    found += _below(name, "pressure_low", "systolic", series, 90.0, "mm[Hg]", source)
    return found + _signs(name, HEART_FAILURE_SIGNS, symptoms, source)


def _hypertension(series: Series, _: Sequence[str]) -> list[Prompt]:
    very = _pressure("hypertension", "pressure_very_high", series, (180.0, 110.0), "ESC HTN 2023")
    return very or _pressure("hypertension", "pressure_high", series, (140.0, 90.0), "WHO HTN 2021", visits=2)


def _diabetes(series: Series, _: Sequence[str]) -> list[Prompt]:
    name = "diabetes"
    found = _below(name, "glucose_low", "glucose", series, 70.0, "mg/dL", "ADA 2024")
    newest = _newest(series, "glucose")
    if newest is not None and newest >= 300.0:
        found.append(Prompt(name, "glucose_very_high", "glucose", newest, 300.0, "mg/dL", "ADA 2024"))
    return found + _pressure(name, "pressure_high", series, (140.0, 90.0), "WHO HTN 2021", visits=2)


def _pregnancy(series: Series, symptoms: Sequence[str]) -> list[Prompt]:
    name = "pregnancy"
    severe = _pressure(name, "pressure_very_high", series, (160.0, 110.0), "WHO 2011")
    high = severe or _pressure(name, "pressure_high", series, (140.0, 90.0), "WHO 2011")
    return high + _signs(name, PREGNANCY_SIGNS, symptoms, "WHO ANC 2016")


_RULES: dict[str, Callable[[Series, Sequence[str]], list[Prompt]]] = {
    "heart_failure": _heart_failure,
    "hypertension": _hypertension,
    "diabetes": _diabetes,
    "pregnancy": _pregnancy,
}


def _newest(series: Series, kind: str) -> float | None:
    points = series.get(kind, ())
    return points[-1].value if points else None


def _below(
    name: str, code: str, kind: str, series: Series, limit: float, unit: str, source: str
) -> list[Prompt]:
    newest = _newest(series, kind)
    if newest is None or newest >= limit:
        return []
    return [Prompt(name, code, kind, newest, limit, unit, source)]


def _pressure(
    name: str, code: str, series: Series, limits: tuple[float, float], source: str, *, visits: int = 1
) -> list[Prompt]:
    """Prompt where either number reached its limit at each of the last `visits` measurements."""
    for kind, limit in zip(("systolic", "diastolic"), limits, strict=True):
        last = list(series.get(kind, ()))[-visits:]
        if len(last) == visits and all(one.value >= limit for one in last):
            return [Prompt(name, code, kind, last[-1].value, limit, "mm[Hg]", source)]
    return []


def _signs(name: str, signs: Sequence[str], symptoms: Sequence[str], source: str) -> list[Prompt]:
    return [Prompt(name, "symptom", sign, 1.0, 1.0, "", source) for sign in signs if sign in symptoms]
