"""What the desk's interface gives and takes: inbox, cases, layers, answers, delivery."""

import json
import struct
import wave
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from sqlalchemy import select

from chevet.exchange.manifest import read_manifest
from chevet.relay.archive.answers import Draft, Note
from chevet.relay.archive.composed import TRIES
from chevet.relay.archive.objects import ObjectFolder
from chevet.relay.archive.schema import audit
from chevet.relay.errors import RefusedError
from chevet.study.bundle import pack
from chevet.study.case import Author, Message, pack_message
from chevet.study.recording import StoredClip, StoredFile

from .conftest import NOON, OPINION, PASSWORD, SECRET_NAME, code, deliver, ecg, heart_sound, messages

FEEDBACK_ID = "018f0000-0000-7000-8000-00000000feed"


async def test_the_inbox_is_urgent_first_then_oldest_and_answered_last(world, client, sent):
    user, order = world.user(), []
    for urgency in ("routine", "emergency", "urgent", "routine", "emergency"):
        world.clock.ms += 1000
        order.append(sent(urgency=urgency).id)
    async with client(user) as desk:
        first = order[0]
        await desk.post(f"/api/cases/{first}/claim")
        assert (await desk.post(f"/api/cases/{first}/opinions", json=OPINION)).status_code == 201
        cases = (await desk.get("/api/inbox")).json()["cases"]
    assert [case["id"] for case in cases] == [order[1], order[4], order[2], order[3], first]
    assert [case["state"] for case in cases] == ["waiting"] * 4 + ["answered"]
    assert cases[0]["age_s"] == 3
    assert cases[0]["layers"]["0"] == {"have": 1, "total": 1}
    assert (cases[0]["quality"], cases[0]["usable"]) == (0.4, False)
    assert SECRET_NAME not in json.dumps(cases)


async def test_a_case_opens_whole_and_the_site_hears_of_the_first_opening_only(world, client, sent):
    study, user = sent(), world.user()
    async with client(user) as desk:
        case = (await desk.get(f"/api/cases/{study.id}")).json()
        world.clock.ms += 5000
        await desk.get(f"/api/cases/{study.id}")
    assert case["patient"]["name"] == SECRET_NAME
    assert case["patient"]["age"] == 2026 - 1971
    assert case["vitals"][0]["value"] == 97.0
    recording, ear = case["recordings"]
    assert (recording["samples"], recording["gaps"], recording["lost_samples"]) == (2000, [[100, 5]], 5)
    assert recording["layers"]["3"]["have"] == recording["layers"]["3"]["total"] > 0
    assert ear["pictures"] == [{"media_type": "image/jpeg", "at_s": 0.5, "best": True, "bytes": 9002}]
    assert case["closed"]["quality"] == "synchronised"
    from chevet.exchange.messages import read, verified
    from chevet.relay.ingest.downlink import Downlink

    (news,) = Downlink(world.relay).statuses("abc", (study.id,))
    status = read(news.payload)
    assert (status.id, status.status, status.at_ms) == (study.id, "opened", NOON)
    assert verified(status, world.relay.keys.relay.public_key())


async def test_a_coordinators_view_does_not_count_as_opened(world, client, sent):
    sent()
    async with client(world.user("co", "coordinator")) as desk:
        assert len((await desk.get("/api/inbox")).json()["cases"]) == 1
    from chevet.relay.ingest.downlink import Downlink

    assert Downlink(world.relay).statuses("abc", ("x",)) == []


async def test_only_one_specialist_claims_and_only_the_claimer_answers(world, client, sent):
    study, one, two = sent(), world.user("one"), world.user("two")
    async with client(one) as first, client(two) as second:
        path = f"/api/cases/{study.id}"
        assert code(await first.post(f"{path}/opinions", json=OPINION)) == (409, "not_claimed")
        claimed = (await first.post(f"{path}/claim")).json()
        assert (claimed["state"], claimed["claimed_by"]) == ("claimed", {"id": "one", "name": "Dr one"})
        assert code(await second.post(f"{path}/claim")) == (409, "claimed")
        assert code(await second.post(f"{path}/release")) == (409, "not_claimed")
        assert code(await second.post(f"{path}/opinions", json=OPINION)) == (409, "not_claimed")
        assert (await first.post(f"{path}/release")).json()["claimed_by"] is None
        assert (await second.post(f"{path}/claim")).status_code == 200
        assert code(await second.post("/api/cases/none/claim")) == (404, "not_found")


async def test_an_opinion_is_signed_by_its_author_and_amended_as_a_new_version(world, client, sent):
    study, user = sent(), world.user()
    async with client(user) as desk:
        path = f"/api/cases/{study.id}"
        await desk.post(f"{path}/claim")
        wrong = OPINION | {"password": "not the password"}
        assert code(await desk.post(f"{path}/opinions", json=wrong)) == (401, "wrong_password")
        first = await desk.post(f"{path}/opinions", json=OPINION)
        assert first.status_code == 201
        amended = (await desk.post(f"{path}/opinions", json=OPINION | {"advice": "Refer."})).json()
        case = (await desk.get(path)).json()
    assert (first.json()["version"], amended["version"]) == (1, 2)
    assert first.json()["author"] == {"id": "dr", "name": "Dr dr", "specialty": "cardiology"}
    assert [(o["version"], o["advice"], o["verified"]) for o in case["opinions"]] == [
        (1, "Rest.", True),
        (2, "Refer.", True),
    ]
    assert case["state"] == "answered"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("certainty", "sure"),
        ("urgency", "soon"),
        ("transfer", "yes"),
        ("follow_up_date", "24/12/2026"),
        ("follow_up_date", "2026-02-30"),
        ("impression", ""),
        ("impression", "x" * 8001),
        ("diagnosis", "none"),
    ],
)
async def test_an_opinion_with_a_wrong_field_names_it_and_not_its_value(world, client, sent, field, value):
    study, user = sent(), world.user()
    async with client(user) as desk:
        answer = await desk.post(f"/api/cases/{study.id}/opinions", json=OPINION | {field: value})
    assert code(answer) == (422, "invalid")
    assert answer.json()["error"]["field"] == field
    assert value == "" or str(value) not in answer.json()["error"]["message"]


async def test_notes_and_retakes_go_into_the_thread(world, client, sent):
    study, user = sent(), world.user()
    retake = {"kind": "retake", "step": "heart_sound", "site": "M", "side": "", "text": "Closer, please."}
    async with client(user) as desk:
        path = f"/api/cases/{study.id}/messages"
        assert (await desk.post(path, json={"kind": "note", "text": "Thank you."})).status_code == 201
        world.clock.ms += 1
        made = (await desk.post(path, json=retake)).json()
        assert code(await desk.post(path, json={"kind": "note", "text": " "})) == (422, "invalid")
        assert code(await desk.post(path, json={"kind": "retake", "text": "again"})) == (422, "invalid")
        assert code(await desk.post(path, json={"kind": "retake", "step": "photo"})) == (422, "invalid")
        case = (await desk.get(f"/api/cases/{study.id}")).json()
    assert (made["step"], made["site"], made["verified"]) == ("heart_sound", "M", True)
    assert [(m["kind"], m["verified"]) for m in case["messages"]] == [("note", True), ("retake", True)]


def of_24_bits(recording):
    """The same recording as a 24-bit board gives it, on electrodes with a voltage of their own."""
    (wave,) = recording.waveforms
    values = wave.values.astype(np.int32) * 21 + 6_000_000
    return replace(recording, waveforms=(replace(wave, values=values),))


@pytest.mark.parametrize(("recording", "width"), [(ecg(), 2), (of_24_bits(ecg()), 4)], ids=["16", "24"])
async def test_the_waveform_is_exact_to_the_sample(world, client, sent, recording, width):
    study, user = sent(recordings=(recording,)), world.user()
    async with client(user) as desk:
        path = f"/api/cases/{study.id}/recordings/{recording.id}"
        frame = (await desk.get(f"{path}/waveform?layer=lossless")).content
        assert code(await desk.get(f"{path}/waveform?layer=best")) == (422, "invalid")
        assert code(await desk.get(f"{path[:-1]}x/waveform")) == (404, "not_found")
        assert code(await desk.get(f"{path}/pictures/0")) == (404, "not_yet_here")
    version, kind, length = struct.unpack_from("<BBH", frame)
    header = json.loads(frame[4 : 4 + length])
    assert (version, kind, length % 4, header["layer"]) == (1, 1, 0, "lossless")
    assert header["bytes"] == width
    assert [channel["name"] for channel in header["channels"]][:2] == ["I", "II"]
    samples = np.frombuffer(frame[4 + length :], f"<i{width}").reshape(8, header["count"])
    assert np.array_equal(samples, recording.waveforms[0].values)


async def test_sound_is_wav_without_a_sample_changed_and_pictures_are_the_cameras_own(world, client, sent):
    sound = heart_sound()
    study, user = sent(), world.user()
    heard = sent(recordings=(sound,))
    async with client(user) as desk:
        answer = await desk.get(f"/api/cases/{heard.id}/recordings/{sound.id}/sound?layer=lossless")
        ear = study.recordings[1]
        picture = await desk.get(f"/api/cases/{study.id}/recordings/{ear.id}/pictures/0?layer=lossless")
        missing = await desk.get(f"/api/cases/{study.id}/recordings/{ear.id}/pictures/7")
    with wave.open(BytesIO(answer.content)) as file:
        assert (file.getframerate(), file.getnchannels()) == (4000, 1)
        assert file.readframes(9999999) == sound.waveforms[0].values.astype("<i2").tobytes()
    assert (picture.content, picture.headers["content-type"]) == (ear.pictures[0].data, "image/jpeg")
    assert code(missing) == (404, "not_yet_here")


async def test_delivery_tells_when_each_layer_came_and_what_went_back(world, client, make_study):
    study, user = make_study(), world.user()
    everything = messages(world.site.seal(pack(study)))
    receiver = world.receiver()
    deliver(receiver, everything[:2])
    world.clock.ms += 9000
    deliver(receiver, everything[2:])
    async with client(user) as desk:
        await desk.post(f"/api/cases/{study.id}/messages", json={"kind": "note", "text": "Seen."})
        found = (await desk.get(f"/api/cases/{study.id}/delivery")).json()
    assert (found["manifest_ms"], found["layers_ms"]["0"]) == (NOON, NOON)
    assert found["layers_ms"]["3"] == found["complete_ms"] == NOON + 9000
    assert 0 <= sum(len(payload) for payload in everything) - found["bytes_up"] < 8  # the manifest's envelope
    assert [(one["kind"], one["at_site_ms"]) for one in found["back"]] == [("message", None)]


async def test_refused_bundles_are_listed_with_their_reason(world, client):
    deliver(world.receiver(), [b"\xffgarbage"])
    async with client(world.user("au", "auditor")) as desk:
        (letter,) = (await desk.get("/api/refused")).json()["bundles"]
    assert (letter["site"], letter["reason"], letter["at_ms"]) == ("abc", "malformed", NOON)


async def test_a_full_disk_is_507_and_the_api_stays_up(world, client, sent, monkeypatch):
    study, user = sent(), world.user()

    def no_room(*_):
        raise OSError(28, "No space left on device")

    async with client(user) as desk:
        await desk.post(f"/api/cases/{study.id}/claim")
        with monkeypatch.context() as full:
            full.setattr(ObjectFolder, "_write", no_room)
            answer = await desk.post(f"/api/cases/{study.id}/opinions", json=OPINION)
            assert code(answer) == (507, "disk_full")
        assert (await desk.get(f"/api/cases/{study.id}")).json()["opinions"] == []
        assert (await desk.post(f"/api/cases/{study.id}/opinions", json=OPINION)).status_code == 201


async def test_a_failure_of_ours_is_told_in_the_same_form_without_details(world, client, monkeypatch, caplog):
    user = world.user()

    def fails(*_):
        raise RuntimeError(SECRET_NAME)

    async with client(user) as desk:
        monkeypatch.setattr(type(world.relay.cases), "inbox", fails)
        answer = await desk.get("/api/inbox")
    assert code(answer) == (500, "internal")
    assert SECRET_NAME not in answer.text + caplog.text


async def test_openapi_describes_the_interface(world, client):
    async with client() as desk:
        document = (await desk.get("/api/openapi.json")).json()
    assert "/api/cases/{case_id}/opinions" in document["paths"]
    assert "Not a medical device" in document["info"]["description"]


CART_FILE = StoredFile(b"\x00" * 128 + b"DICM" + bytes(range(256)) * 40, "application/dicom")


def of_a_cart(**changes):
    return ecg(driver="dicom-ecg", link="file:", source=CART_FILE, **changes)


@pytest.mark.parametrize(
    ("simulated", "name"), [(False, "ecg-original.dcm"), (True, "HTEST-ecg-original.dcm")]
)
async def test_a_carts_file_comes_as_it_was_under_a_name_of_ours(world, client, sent, simulated, name):
    recording, user = of_a_cart(simulated=simulated), world.user()
    relay = world.again(label="HTEST") if simulated else world.relay
    study = sent(recordings=(recording, ecg()))
    async with client(user, relay) as desk:
        path = f"/api/cases/{study.id}/recordings"
        case = (await desk.get(f"/api/cases/{study.id}")).json()
        answer = await desk.get(f"{path}/{recording.id}/source")
        assert code(await desk.get(f"{path}/{study.recordings[1].id}/source")) == (404, "not_found")
    assert [one["source"] for one in case["recordings"]] == [
        {"media_type": "application/dicom", "bytes": len(CART_FILE.data)},
        None,
    ]
    assert (answer.status_code, answer.content) == (200, CART_FILE.data)
    assert answer.headers["content-type"] == "application/dicom"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    with world.relay.database.read() as connection:
        details = [row.detail for row in connection.execute(select(audit)) if row.what == "recording.read"]
    assert details == [f"{recording.id} source"]


async def test_a_carts_file_of_an_unknown_kind_is_plain_bytes(world, client, sent):
    odd = StoredFile(b"<script>alert(1)</script>", "text/html")
    recording, user = ecg(source=odd), world.user()
    study = sent(recordings=(recording,))
    async with client(user) as desk:
        answer = await desk.get(f"/api/cases/{study.id}/recordings/{recording.id}/source")
    assert (answer.content, answer.headers["content-type"]) == (odd.data, "application/octet-stream")
    assert answer.headers["content-disposition"].endswith('"ecg-original.bin"')


async def test_a_carts_file_that_is_still_travelling_and_whom_it_is_not_for(world, client, make_study):
    recording = of_a_cart()
    study = make_study(recordings=(recording,))
    deliver(world.receiver(), messages(world.site.seal(pack(study)))[:2])
    path = f"/api/cases/{study.id}/recordings/{recording.id}/source"
    async with client(world.user()) as desk:
        assert code(await desk.get(path)) == (404, "not_yet_here")
    async with client(world.user("co", "coordinator")) as desk:
        assert (await desk.get(path)).status_code == 403
    async with client() as nobody:
        assert (await nobody.get(path)).status_code == 401


FILM = StoredClip(b"an image sequence", "image/avif", 1.5, 4.96)


async def test_a_clip_is_told_and_played_and_noted(world, client, sent):
    with_clip, without = ecg(clip=FILM), ecg()
    study = sent(recordings=(with_clip, without))
    path = f"/api/cases/{study.id}/recordings"
    async with client(world.user()) as desk:
        case = (await desk.get(f"/api/cases/{study.id}")).json()
        answer = await desk.get(f"{path}/{with_clip.id}/clip")
        assert code(await desk.get(f"{path}/{without.id}/clip")) == (404, "not_found")
    told = {"media_type": "image/avif", "bytes": len(FILM.data), "from_s": 1.5, "seconds": 4.96}
    assert [one["clip"] for one in case["recordings"]] == [told, None]
    assert (answer.content, answer.headers["content-type"]) == (FILM.data, "image/avif")
    with world.relay.database.read() as connection:
        details = [row.detail for row in connection.execute(select(audit)) if row.what == "recording.read"]
    assert details == [f"{with_clip.id} diagnostic"]


async def test_a_clip_that_is_still_travelling(world, client, make_study):
    recording = ecg(clip=FILM)
    study = make_study(recordings=(recording,))
    deliver(world.receiver(), messages(world.site.seal(pack(study)))[:2])
    async with client(world.user()) as desk:
        answer = await desk.get(f"/api/cases/{study.id}/recordings/{recording.id}/clip")
    assert code(answer) == (404, "not_yet_here")


async def test_what_the_worker_thought_of_an_answer_stands_in_the_conversation(world, client, sent):
    study, user = sent(), world.user()
    author = Author("amina", "Amina")
    message = Message(FEEDBACK_ID, study.id, "feedback", "bad", author, NOON)
    deliver(world.receiver(), messages(world.site.seal(pack_message(message))))
    async with client(user) as desk:
        (said,) = (await desk.get(f"/api/cases/{study.id}")).json()["messages"]
    assert (said["kind"], said["text"], said["author"]["name"]) == ("feedback", "bad", "Amina")
    assert said["verified"]


def test_an_answer_is_brought_to_the_store_while_others_write_and_sealed_anew_when_one_was_faster(
    world, sent
):
    mine, other, user = sent(), sent(), world.user()
    for study in (mine, other):
        world.relay.cases.claim(study.id, user)
    key = world.relay.sign_in.signing_key(user, PASSWORD)
    draft, second = Draft("Fine.", "certain", "Rest.", "routine", False, None), world.again()
    put, puts = world.relay.objects.put, []

    def while_a_colleague_answers(data):
        puts.append(data)
        if len(puts) == 1:  # the archive is nobody's meanwhile, and the number of the letter is taken
            second.answers.give_opinion(other.id, user, draft, key)
        return put(data)

    world.relay.objects.put = while_a_colleague_answers
    opinion = world.relay.answers.give_opinion(mine.id, user, draft, key)
    assert len(puts) == 2, "composed again"
    said = world.relay.answers.conversation(mine.id).opinions
    assert said == ((opinion, True),)
    numbers = [read_manifest(one).seq for one in world.relay.outbox("abc").pending()]
    assert sorted(numbers) == [1, 2]


def test_where_somebody_is_always_faster_the_answer_goes_out_with_the_archive_held(world, sent):
    mine, other, user = sent(), sent(), world.user()
    world.relay.cases.claim(mine.id, user)
    second, put, notes = world.again(), world.relay.objects.put, []

    def always_late(data):
        if len(notes) < TRIES:
            notes.append(second.answers.send_message(other.id, user, Note("note", "", "", "", "Wait.")))
        return put(data)

    world.relay.objects.put = always_late
    draft = Draft("Fine.", "certain", "Rest.", "routine", False, None)
    key = world.relay.sign_in.signing_key(user, PASSWORD)
    opinion = world.relay.answers.give_opinion(mine.id, user, draft, key)
    assert world.relay.answers.conversation(mine.id).opinions == ((opinion, True),)
    assert len(list(world.relay.outbox("abc").pending())) == TRIES + 1


def test_a_case_taken_away_while_its_answer_is_brought_is_not_answered(world, sent):
    study, user, colleague = sent(), world.user(), world.user("dr2")
    world.relay.cases.claim(study.id, user)
    second, put = world.again(), world.relay.objects.put

    def while_it_is_handed_over(data):
        if second.cases.open(study.id, colleague).claimed_by == (user.id, user.name):
            second.cases.release(study.id, user)
            second.cases.claim(study.id, colleague)
        return put(data)

    world.relay.objects.put = while_it_is_handed_over
    draft = Draft("Fine.", "certain", "Rest.", "routine", False, None)
    key = world.relay.sign_in.signing_key(user, PASSWORD)
    with pytest.raises(RefusedError, match="Claim the case first"):
        world.relay.answers.give_opinion(study.id, user, draft, key)
    assert world.relay.answers.conversation(study.id).opinions == ()
    assert list(world.relay.outbox("abc").pending()) == []
