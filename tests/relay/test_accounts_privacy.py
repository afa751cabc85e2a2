"""No patient data in logs, addresses and headers: a whole flow with seeded names, all of it searched."""

import logging

from .conftest import OPINION, PASSWORD, SECRET_NAME, SECRET_QUESTION, code

SEEDED = ("Seeded", SECRET_NAME, SECRET_QUESTION, "R-77", PASSWORD)


async def test_a_whole_flow_names_nobody_in_logs_addresses_and_headers(world, client, sent, caplog):
    caplog.set_level(logging.DEBUG)
    study = sent()
    seen = []
    where = f"/api/cases/{study.id}"
    ecg, ear = (f"{where}/recordings/{one.id}" for one in study.recordings)
    async with client(world.user()) as desk:

        async def keep(answer):
            seen.append(f"{answer.request.url} {answer.headers.raw}")

        desk.event_hooks["response"] = [keep]
        for path in ("/api/inbox", where, f"{where}/earlier", f"{where}/delivery", f"{ecg}/waveform"):
            assert (await desk.get(path)).status_code == 200
        for path in (f"{ecg}/print", f"{ear}/pictures/0", f"{where}/export?form=wfdb"):
            assert (await desk.get(path)).status_code == 200
        assert (await desk.get(f"/fhir/Patient?encounter={study.id}")).status_code == 200
        await desk.post(f"{where}/claim")
        opinion = OPINION | {"impression": "Seededimpression", "advice": "Seededadvice"}
        assert (await desk.post(f"{where}/opinions", json=opinion)).status_code == 201
        wrong = opinion | {"certainty": "Seededcertainty", "Seededfield": SECRET_NAME}
        refused = await desk.post(f"{where}/opinions", json=wrong)
        assert code(refused) == (422, "invalid")
        assert (await desk.get("/api/nothing")).status_code == 404
    assert len(seen) == 13
    for secret in SEEDED:
        assert secret not in caplog.text
        assert not [one for one in seen if secret in one]
    assert SECRET_NAME not in refused.text


async def test_the_policy_lets_no_foreign_or_inline_script_run(world, client):
    async with client() as desk:
        headers = (await desk.get("/")).headers
        page = (await desk.get("/")).text
    rules = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert rules["default-src"] == "'self'"
    assert (rules["object-src"], rules["base-uri"], rules["frame-ancestors"]) == ("'none'",) * 3
    assert "unsafe" not in headers["content-security-policy"]
    assert "<script>" not in page
    assert "style=" not in page
    assert headers["x-frame-options"] == "DENY"
