"""Vital signs as a reader meets them: usual values by age, and their course over the visits."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from relay_desk.cases_for_desk import earlier_visit, ident
from relay_desk.desk_browser import (  # noqa: F401 - fixtures
    chromium,
    desk_opener,
    fresh_relay,
    profiles,
    running_fake,
    screenshots,
)
from relay_desk.fake_relay import FakeRelay

pytestmark = pytest.mark.web

VITALS = f"#/case/{ident(256)}/vitals"


def test_usual_values_go_with_age_name_their_source_and_are_no_finding(
    open_desk: Callable[..., Page], shot: Callable[..., Any]
) -> None:
    page = open_desk(VITALS)
    pressure = page.locator(".vital", has_text="Blood pressure")
    upper = pressure.locator(".usual").first
    expect(upper).to_contain_text("Systolic (upper number)")
    expect(upper.locator(".chip")).to_have_text("above the usual")
    expect(upper).to_contain_text("90–139 mmHg · ESH 2023")
    expect(page.locator(".vital", has_text="SpO₂")).to_contain_text("96–100 % · NEWS2 · at sea level")
    expect(page.get_by_text("for comparing, not a finding")).to_contain_text("54 years")
    shot(page, "vitals")
    ranges = page.evaluate("""async () => {
      const {rangeFor, against} = await import('/desk/vitals-ranges.js');
      const of = (kind, age) => { const r = rangeFor(kind, age); return r && [r.low, r.high, r.source]; };
      return {
        infant: of('pulse_rate', 0), child: of('respiration_rate', 5), teen: of('heart_rate', 15),
        adult: of('heart_rate', 16), unknown: of('heart_rate', null), spo2: of('spo2', null),
        child_pressure: of('systolic', 8), weight: of('weight', 40),
        sides: [95, 96, 100].map(value => against(value, {low: 96, high: 99})),
      };
    }""")
    assert ranges == {
        "infant": [93, 181, "Fleming 2011"],
        "child": [17, 29, "Fleming 2011"],
        "teen": [43, 104, "Fleming 2011"],
        "adult": [51, 90, "NEWS2"],
        "unknown": None,
        "spo2": [96, 100, "NEWS2"],
        "child_pressure": None,
        "weight": None,
        "sides": ["below", "within", "above"],
    }


def test_numbers_measured_before_are_drawn_as_trends(
    open_desk: Callable[..., Page], relay: FakeRelay, shot: Callable[..., Any]
) -> None:
    page = open_desk(VITALS, language="fr", size="phone")
    expect(page.get_by_text("Première visite de ce patient dans ce centre.")).to_be_visible()
    relay.earlier = [earlier_visit(20, 90), earlier_visit(21, 400)]
    page = open_desk(VITALS, language="ar")
    expect(page.locator("trend-line")).to_have_count(2)
    pressure = page.locator(".trend").first
    expect(pressure.locator(".trend-dot")).to_have_count(6)
    expect(pressure.locator("svg")).to_have_attribute("aria-label", re.compile("162.*148"))
    shot(page, "vitals-ar")
