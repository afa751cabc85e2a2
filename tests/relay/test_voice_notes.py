"""The specialist's voice in an answer, and the worker's in the conversation."""

import base64
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from sqlalchemy import select

from chevet.exchange.manifest import read_manifest
from chevet.exchange.sealing import open_sealed
from chevet.relay.api.wall import MAX_BODY, MAX_SPEECH, MAX_SPOKEN
from chevet.relay.archive.schema import audit
from chevet.study.case import Author, Message, pack_message, unpack_opinion
from chevet.study.ids import uuid7
from chevet.study.spoken import RATE_HZ, encode_voice, pack_voice, told_of, unpack_voice, voice_ms

from .conftest import NOON, OPINION, Site, code, deliver, messages

SPEECH = (4000 * np.sin(np.arange(RATE_HZ) / 8)).astype("<i2").tobytes()
OGG = encode_voice(SPEECH)
SPOKEN = base64.b64encode(OGG).decode()
NGINX = Path(__file__).parents[2] / "cloud-relay/deploy/nginx.conf"
VOICE, NOTE = uuid7(NOON, bytes(10)), uuid7(NOON + 1, bytes(10))


def sent_down(world):
    """What waits for the site, opened: its bundles by kind."""
    outbox = world.relay.outbox("abc")
    found = []
    for manifest in outbox.pending():
        said = read_manifest(manifest)
        data = {one.oid: outbox.read(said.tid, one.oid, 0, one.size) for one in said.objects}
        found.append((said, open_sealed(said, data, world.relay.keys.programme)))
    return sorted(found, key=lambda pair: pair[0].kind)


def records(world, action):
    with world.relay.database.read() as connection:
        query = select(audit.c.subject, audit.c.detail).where(audit.c.what == action)
        return [tuple(row) for row in connection.execute(query)]


async def test_speech_comes_back_as_the_sound_that_would_travel_and_nothing_is_kept(world, client, sent):
    study, user = sent(), world.user()
    async with client(user) as desk:
        answer = await desk.post(f"/api/cases/{study.id}/voice", content=SPEECH)
    assert answer.headers["content-type"] == "audio/ogg"
    assert answer.content == OGG
    assert sent_down(world) == []


async def test_what_is_no_voice_note_is_refused_with_its_reason(world, client, sent):
    study, user = sent(), world.user()
    async with client(user) as desk:
        for speech, said in (
            (b"", (422, "voice_too_short")),
            (bytes(2 * RATE_HZ + 1), (422, "voice_malformed")),
            (bytes(2 * RATE_HZ * 61), (422, "voice_too_long")),
            (bytes(2 * 1024 * 1024 + 1), (413, "too_large")),
        ):
            assert code(await desk.post(f"/api/cases/{study.id}/voice", content=speech)) == said
        assert code(await desk.post("/api/cases/none/voice", content=SPEECH)) == (404, "not_found")


async def test_the_voice_is_part_of_what_is_signed_and_travels_behind_the_words(world, client, sent):
    study, user = sent(), world.user()
    where = f"/api/cases/{study.id}"
    async with client(user) as desk:
        await desk.post(f"{where}/claim")
        made = (await desk.post(f"{where}/opinions", json=OPINION | {"voice": SPOKEN})).json()
        heard = await desk.get(f"{where}/voices/{made['voice']['id']}")
        shown = (await desk.get(where)).json()["opinions"][0]
        back = (await desk.get(f"{where}/delivery")).json()["back"]
    assert made["voice"] == shown["voice"]
    assert (made["voice"]["bytes"], made["voice"]["length_ms"]) == (len(OGG), voice_ms(OGG))
    assert heard.content == OGG
    (words, opinion), (sound, voice) = sent_down(world)
    assert unpack_opinion(opinion).voice.names(unpack_voice(voice))
    assert (words.priority, sound.priority) == (0, 1), "the words never wait for the voice"
    assert ([one.layer for one in words.objects], [one.layer for one in sound.objects]) == ([0], [2])
    assert [one["kind"] for one in back] == ["opinion", "voice"]
    assert records(world, "voice.heard") == [(study.id, made["voice"]["id"])]


async def test_an_amendment_keeps_the_voice_without_sending_it_again_or_leaves_it_out(world, client, sent):
    study, user = sent(), world.user()
    where = f"/api/cases/{study.id}"
    async with client(user) as desk:
        await desk.post(f"{where}/claim")
        nothing = await desk.post(f"{where}/opinions", json=OPINION | {"keep_voice": True})
        first = (await desk.post(f"{where}/opinions", json=OPINION | {"voice": SPOKEN})).json()
        kept = (await desk.post(f"{where}/opinions", json=OPINION | {"keep_voice": True})).json()
        silent = (await desk.post(f"{where}/opinions", json=OPINION)).json()
        said = (await desk.get(where)).json()["opinions"]
    assert code(nothing) == (422, "no_voice")
    assert kept["voice"] == first["voice"]
    assert silent["voice"] is None
    assert [one["verified"] for one in said] == [True, True, True]
    assert [one.kind for one, _ in sent_down(world)] == ["opinion"] * 3 + ["voice"]


async def test_nothing_is_signed_with_a_voice_that_is_none(world, client, sent):
    study, user = sent(), world.user()
    where = f"/api/cases/{study.id}"
    async with client(user) as desk:
        await desk.post(f"{where}/claim")
        for voice in ("no base64!", base64.b64encode(b"OggS nothing").decode()):
            answer = await desk.post(f"{where}/opinions", json=OPINION | {"voice": voice})
            assert (code(answer)[0], answer.json()["error"]["field"]) == (422, "voice")
        assert (await desk.get(where)).json()["opinions"] == []


async def test_a_note_may_be_spoken_and_needs_no_text(world, client, sent):
    study, user = sent(), world.user()
    where = f"/api/cases/{study.id}"
    async with client(user) as desk:
        note = await desk.post(f"{where}/messages", json={"kind": "note", "voice": SPOKEN})
        broken = await desk.post(f"{where}/messages", json={"kind": "note", "voice": "AAAA"})
        heard = await desk.get(f"{where}/voices/{note.json()['voice']['id']}")
    assert note.status_code == 201
    assert code(broken) == (422, "voice_malformed")
    assert heard.content == OGG


async def test_the_workers_voice_is_heard_at_the_desk_once_it_is_here(world, client, sent):
    study, user = sent(), world.user()
    note = told_of(VOICE, OGG)
    message = Message(NOTE, study.id, "note", "", Author("amina", "Amina"), NOON, voice=note)
    where = f"/api/cases/{study.id}"
    async with client(user) as desk:
        deliver(world.receiver(), messages(world.site.seal(pack_message(message))))
        early = await desk.get(f"{where}/voices/{VOICE}")
        deliver(world.receiver(), messages(world.site.seal(pack_voice(note, study.id, OGG))))
        heard = await desk.get(f"{where}/voices/{VOICE}")
        (said,) = (await desk.get(where)).json()["messages"]
    assert code(early) == (404, "not_yet_here")
    assert heard.content == OGG
    assert (said["verified"], said["voice"]["length_ms"]) == (True, note.length_ms)


async def test_a_sound_that_nothing_names_or_that_is_another_is_not_played(world, client, sent):
    study, user = sent(), world.user()
    note = told_of(VOICE, OGG)
    other = replace(note, sha256=bytes(32))
    where = f"/api/cases/{study.id}"
    async with client(user) as desk:
        deliver(world.receiver(), messages(world.site.seal(pack_voice(note, study.id, OGG))))
        unnamed = await desk.get(f"{where}/voices/{VOICE}")
        message = Message(NOTE, study.id, "note", "", Author("amina", "Amina"), NOON, voice=other)
        deliver(world.receiver(), messages(world.site.seal(pack_message(message))))
        swapped = await desk.get(f"{where}/voices/{VOICE}")
    assert code(unnamed) == (404, "not_found")
    assert code(swapped) == (404, "not_found")
    assert records(world, "voice.heard") == []


async def test_a_site_cannot_put_a_voice_to_another_sites_case(world, sent):
    study, note = sent(), told_of(VOICE, OGG)
    world.site = Site("xyz", world.site.recipients)
    world.relay.sites.add(world.site.file())
    sealed = messages(world.site.seal(pack_voice(note, study.id, OGG)))
    answers = deliver(world.receiver(), sealed, "xyz")
    assert any(getattr(one, "reason", "") == "contradiction" for one in answers)


async def test_only_the_desks_own_page_may_listen(world, client):
    async with client() as desk:
        page, sealed = await desk.get("/"), await desk.get("/sealed.html")
    assert "microphone=(self)" in page.headers["permissions-policy"]
    assert "microphone=()" in sealed.headers["permissions-policy"]


def test_the_web_server_before_the_relay_lets_through_all_that_the_relay_takes():
    (most,) = re.findall(r"^ *client_max_body_size (\d+)m;", NGINX.read_text("utf-8"), re.MULTILINE)
    assert int(most) * 1024**2 == MAX_SPEECH == max(MAX_SPEECH, MAX_SPOKEN, MAX_BODY)
