"""Voices at the box: heard once here and found to be what was signed; the worker's own travel up."""

import base64
from dataclasses import replace

import numpy as np
from edge_fakes import Box, until
from test_edge_api import kiosk
from test_edge_continuing import sent_case
from test_edge_feedback import messages_of
from test_edge_uplink import deliver, sealed_down, uplinked

from chevet.exchange.manifest import read_manifest
from chevet.study.case import opinion_bytes, pack_opinion
from chevet.study.spoken import RATE_HZ, VoiceNote, encode_voice, pack_voice, told_of

SPEECH = (4000 * np.sin(np.arange(RATE_HZ) / 8)).astype("<i2").tobytes()
OGG = encode_voice(SPEECH)
VOICE = "01a20001-f197-7196-9dbe-00000000aaaa"


def spoken(box: Box, case: str, note: VoiceNote):
    """An opinion whose signature covers a voice."""
    plain = box.relay.opinion(case)
    said = replace(plain, voice=note)
    value = box.relay.specialist.sign(opinion_bytes(said))
    return replace(said, signature=replace(plain.signature, value=value))


async def test_the_answer_is_read_before_its_voice_is_here_and_heard_once_it_is(box: Box) -> None:
    case, note = sent_case(box), told_of(VOICE, OGG)
    async with uplinked(box) as (line, _, _arrived), kiosk(box) as client:
        line.connect()
        deliver(line, sealed_down(box, pack_opinion(spoken(box, case, note))))
        await until(lambda: bool(box.bedside.cases.opinions(case)))
        words = (await client.get(f"/api/cases/{case}")).json()
        early = await client.get(f"/api/cases/{case}/voices/{VOICE}")
        deliver(line, sealed_down(box, pack_voice(note, case, OGG)))
        await until(lambda: box.bedside.cases.voice(case, note) is not None)
        whole = (await client.get(f"/api/cases/{case}")).json()
        heard = await client.get(f"/api/cases/{case}/voices/{VOICE}")
    assert words["opinions"][0]["verified"]
    assert words["opinions"][0]["voice"] == {
        "id": VOICE, "length_ms": note.length_ms, "bytes": len(OGG), "state": "arriving",
    }  # fmt: skip
    assert (early.status_code, early.json()["error"]["code"]) == (404, "not_yet_here")
    assert whole["opinions"][0]["voice"]["state"] == "here"
    assert whole["said"] > words["said"], "a screen learns that there is more to read"
    assert (heard.content, heard.headers["content-type"]) == (OGG, "audio/ogg")


async def test_another_sound_than_the_one_signed_is_never_played(box: Box) -> None:
    case = sent_case(box)
    note = replace(told_of(VOICE, OGG), sha256=bytes(32))
    box.bedside.cases.keep_opinion(spoken(box, case, note), verified=True)
    box.bedside.cases.keep_voice(VOICE, case, OGG)
    async with kiosk(box) as client:
        shown = (await client.get(f"/api/cases/{case}")).json()
        refused = await client.get(f"/api/cases/{case}/voices/{VOICE}")
    assert shown["opinions"][0]["voice"]["state"] == "altered"
    assert refused.status_code == 404


async def test_a_voice_that_only_unverified_words_name_is_never_played(box: Box) -> None:
    case, note = sent_case(box), told_of(VOICE, OGG)
    box.bedside.cases.keep_opinion(spoken(box, case, note), verified=False)
    box.bedside.cases.keep_voice(VOICE, case, OGG)
    async with kiosk(box) as client:
        shown = (await client.get(f"/api/cases/{case}")).json()
        refused = await client.get(f"/api/cases/{case}/voices/{VOICE}")
    assert shown["opinions"][0]["voice"]["state"] == "altered"
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "not_found")


async def test_what_is_no_voice_note_or_of_no_case_here_is_refused(box: Box) -> None:
    case, note = sent_case(box), told_of(VOICE, OGG)
    async with uplinked(box) as (line, _, _arrived):
        line.connect()
        bad = sealed_down(box, pack_voice(note, case, b"OggS nothing"))
        strange = sealed_down(box, pack_voice(note, "01a20001-f197-7196-9dbe-0000000000ff", OGG))
        for sealed in (bad, strange):
            deliver(line, sealed)
        await until(lambda: len(refusals(box)) == 2)
    assert refusals(box) == {"refused:malformed", "refused:unknown_case"}
    assert box.bedside.cases.voice(case, note) is None


def refusals(box: Box) -> set[str]:
    rows = box.database.rows("SELECT state FROM transfers WHERE state LIKE 'refused:%'")
    return {row["state"] for row in rows}


async def test_the_worker_speaks_a_note_which_travels_and_stays_to_be_heard_again(box: Box) -> None:
    case = sent_case(box)
    async with kiosk(box) as client:
        coded = await client.post(f"/api/cases/{case}/voice", content=SPEECH)
        note = {"voice": base64.b64encode(coded.content).decode()}
        shown = (await client.post(f"/api/cases/{case}/notes", json=note)).json()
        voice = shown["messages"][0]["voice"]
        heard = await client.get(f"/api/cases/{case}/voices/{voice['id']}")
    assert coded.content == heard.content == OGG
    assert (voice["state"], shown["messages"][0]["verified"], shown["unread"]) == ("here", True, False)
    [said] = messages_of(box)
    assert said.voice is not None
    assert (said.kind, said.author.id, said.voice.id) == ("note", "amina", voice["id"])
    assert said.voice.names(OGG)
    kinds = [
        (read_manifest(raw).kind, read_manifest(raw).objects[0].layer) for raw in box.bedside.spool.pending()
    ]
    assert set(kinds[-2:]) == {("voice", 2), ("message", 0)}
    assert box.bedside.spooled.is_set()


async def test_what_is_no_voice_note_is_not_taken_and_nothing_is_spooled(box: Box) -> None:
    case = sent_case(box)
    async with kiosk(box) as client:
        short = await client.post(f"/api/cases/{case}/voice", content=b"")
        large = await client.post(f"/api/cases/{case}/voice", content=bytes(2 * 1024 * 1024 + 1))
        none = await client.post("/api/cases/none/voice", content=SPEECH)
        broken = await client.post(f"/api/cases/{case}/notes", json={"voice": "AAAA"})
        odd = await client.post(f"/api/cases/{case}/notes", json={"voice": "?"})
    codes = [one.json()["error"]["code"] for one in (short, large, none, broken, odd)]
    assert codes == ["voice_too_short", "too_large", "not_found", "voice_malformed", "invalid"]
    assert messages_of(box) == []


async def test_in_a_sealed_programme_notes_are_not_spoken(box: Box) -> None:
    case = sent_case(box)
    programme = box.bedside.rules.closing.programme
    programme.renew(replace(programme, sealed=True))
    note = {"voice": base64.b64encode(OGG).decode()}
    async with kiosk(box) as client:
        refused = await client.post(f"/api/cases/{case}/notes", json=note)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "not_in_sealed")
    assert messages_of(box) == []


async def test_only_the_kiosks_own_page_may_listen(box: Box) -> None:
    async with kiosk(box) as client:
        page, status = await client.get("/"), await client.get("/api/status")
    assert "microphone=(self)" in page.headers["permissions-policy"]
    assert "microphone=()" in status.headers["permissions-policy"]
