"""The tester's page: what it tells, what it takes, whom it lets in."""

import json
import shutil
import tempfile
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from waiting import until

from chevet.sim.errors import ServeError
from chevet.sim.serve import Plan, served
from chevet.sim.testers_page import TestersPage

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
async def room():
    with tempfile.TemporaryDirectory(prefix="chevet-") as short:
        plan = Plan(Path(short), 2, ("ecg", "oximeter"), patient="hypoxia", web=0)
        async with served(plan) as room:
            yield room


async def test_the_page_and_its_files_come_with_a_strict_policy(room):
    async with httpx.AsyncClient(base_url=room.page, timeout=60) as browser:
        for path, kind in (("/", "text/html"), ("/page.js", "text/javascript"), ("/page.css", "text/css")):
            answer = await browser.get(path)
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith(kind)
            assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert (await browser.get("/../pyproject.toml")).status_code == 404
        assert (await browser.get("/api/nothing")).status_code == 404


async def test_state_truth_and_strips_are_told(room):
    async with httpx.AsyncClient(base_url=room.page, timeout=60) as browser:
        state = (await browser.get("/api/state")).json()["state"]
        assert [one["id"] for one in state["targets"]] == ["ecg", "oximeter"]
        assert state["patient"]["condition"] == "hypoxia"
        assert "healthy adult" in state["conditions"].values()
        truth = (await browser.get("/api/truth?seconds=2")).json()["truth"]
        assert 75 < truth[-1]["spo2"] < 90
        strips = (await browser.get("/api/strips")).json()["strips"]
        assert [len(strips[kind]) for kind in ("ecg", "pulse_wave", "heart_sound")] == [750, 375, 750]
        assert (await browser.get("/api/truth?seconds=x")).status_code == 400


async def test_commands_obey_the_same_checks_as_the_control_socket(room):
    async with httpx.AsyncClient(base_url=room.page, timeout=60) as browser:
        done = await browser.post("/api/control", json={"target": "ecg", "fault": "tremor", "value": "0.1"})
        assert done.json() == {"ok": True}
        assert room.instruments[0].active == {"tremor": "0.1"}
        for wrong in ({"target": "ecg", "fault": "tremor", "value": "9"}, {"target": 3}, {"more": 1}, [1]):
            refused = await browser.post("/api/control", json=wrong)
            assert refused.status_code == 400
            assert refused.json()["ok"] is False
        changed = {"target": "patient", "fault": "condition", "value": "normal"}
        assert (await browser.post("/api/control", json=changed)).json()["ok"]
        assert room.bedside.heart.patient.condition == "normal"


async def test_other_pages_hosts_and_methods_are_turned_away(room):
    async with httpx.AsyncClient(base_url=room.page, timeout=60) as browser:
        quiet = {"target": "ecg", "fault": "silence"}
        elsewhere = await browser.post("/api/control", json=quiet, headers={"Origin": "http://evil.example"})
        assert elsewhere.status_code == 403
        assert (await browser.get("/api/state", headers={"Host": "evil.example:80"})).status_code == 403
        assert (await browser.delete("/api/state")).status_code == 405
        assert (await browser.post("/api/state", json={})).status_code == 405
        assert (await browser.post("/api/control", content=b"x" * 10_000)).status_code == 413
        assert room.instruments[0].active == {}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=100))
async def test_no_body_breaks_the_page(room, body):
    async with httpx.AsyncClient(base_url=room.page, timeout=60) as browser:
        answer = await browser.post("/api/control", content=body)
        assert json.loads(answer.content)["ok"] in (True, False)


async def test_a_taken_port_is_said_with_its_remedy(room):
    with pytest.raises(ServeError, match="--web"):
        await TestersPage(room).start(int(room.page.rsplit(":", 1)[1].strip("/")))


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("size", [(800, 480), (1280, 800)])
async def test_a_tester_turns_a_fault_on_in_a_browser(room, size):
    playwright = pytest.importorskip("playwright.async_api")
    wrong = []
    async with playwright.async_playwright() as browsers:
        browser = await browsers.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": size[0], "height": size[1]})
        page.on("pageerror", lambda error: wrong.append(str(error)))
        await page.goto(room.page)
        await page.wait_for_selector("#f-ecg-tremor")
        await page.check("#f-ecg-tremor")
        await page.wait_for_selector("#t-ecg .count")
        assert "tremor" in room.instruments[0].active
        await page.fill("input[aria-label='Value of tremor']", "7")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#said.wrong")
        assert "0 to 1" in await page.inner_text("#said")
        await page.select_option("#condition", "tachycardia")
        await page.wait_for_function("document.querySelector('#numbers dd') !== null")
        await until(lambda: room.bedside.heart.patient.condition == "tachycardia")
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        await page.click("#calm")
        await page.wait_for_selector("#t-ecg .count", state="detached")
        await browser.close()
    assert wrong == []
    assert room.instruments[0].active == {}
    assert room.bedside.heart.patient.condition == "tachycardia"
