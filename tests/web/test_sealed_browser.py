# ruff: noqa: E501 - scripts of the page and worked bytes stand on lines of their own
"""Sealed cases in Chromium: RFC 9180, and bundles that our own Python sealed."""

import hashlib
import io
import os
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from PIL import Image
from playwright.sync_api import Browser, Page
from relay_desk.desk_browser import chromium  # noqa: F401 - fixture
from relay_desk.sealed_page import run, sealed_page

from chevet.devices.samples import Channel
from chevet.exchange.errors import Refused
from chevet.exchange.keys import new_sealing_key, new_signing_key
from chevet.exchange.manifest import Manifest, ObjectEntry, Wrap, read_manifest
from chevet.exchange.sealing import Recipient, Sealed, open_sealed, seal
from chevet.study.bundle import Bundle, Part, pack
from chevet.study.cbor import decode, encode
from chevet.study.codec import encode_flac, encode_waveform
from chevet.study.codec_limb import without_limb_leads
from chevet.study.layers import lossless_pieces
from chevet.study.preview import read_preview, write_preview
from chevet.study.recording import Gap, Measurement, QualityMark, Recording, Waveform
from chevet.study.study import Consent, EdgeClock, Patient, Study, Vital
from chevet.study.summary import DICTIONARY, write_summary

pytestmark = pytest.mark.web

READER, STRANGER, BOX = new_sealing_key(), new_sealing_key(), new_signing_key()
CASE = "0192f0c1-2345-7abc-8def-0123456789ab"
CLOCK = EdgeClock(1_790_000_000_000, "boot", 1.0, "synchronised")


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    yield from sealed_page(browser)


def sealed(*parts: Part) -> Sealed:
    return seal(
        Bundle(CASE, "study", CASE, parts), origin="abc", seq=1, priority=0, created=CLOCK,
        recipients=[Recipient("reader", READER.public_key())], signer=BOX, random=os.urandom, label="HTEST",
    )  # fmt: skip


def two_parts() -> Sealed:
    return sealed(
        Part(0, 0, "summary", "application/vnd.chevet.summary", "", b"short"),
        Part(1, 1, "picture", "image/avif", CASE, os.urandom(9000), 3),
    )


def opened(page: Page, item: Sealed, oid: int = 0, *, key: Any = READER, **changed: str) -> Any:
    given = {
        "manifest": item.manifest.hex(),
        "object": item.objects[oid].data.hex(),
        "verify": BOX.public_key().public_bytes_raw().hex(),
        "secret": key.private_bytes_raw().hex(),
        "open": key.public_key().public_bytes_raw().hex(),
        "oid": oid,
    } | changed
    return run(
        page,
        """const said = await m.openManifest(m.raw(given.manifest), m.raw(given.verify));
        const key = await m.bundleKey(said, await m.opener(given.secret, given.open));
        const part = await m.openObject(said, given.oid, m.raw(given.object), key);
        return {...part, data: m.hex(part.data), id: said.id, label: said.label, priority: said.priority}""",
        given,
    )


def test_the_worked_example_of_rfc_9180_opens(page: Page) -> None:
    """Appendix A.1.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, base mode, sequence number 0."""
    given = {
        "secret": "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
        "open": "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d",
        "sealed": "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"
        "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a",
        "info": b"Ode on a Grecian Urn".hex(),
        "aad": b"Count-0".hex(),
    }
    body = """return m.hex(await m.hpkeOpen(await m.opener(given.secret, given.open), m.raw(given.sealed),
        m.raw(given.info), m.raw(given.aad), m.AES_128))"""
    assert bytes.fromhex(run(page, body, given)) == b"Beauty is truth, truth beauty"
    assert run(page, body, given | {"aad": b"Count-1".hex()}) == {"refused": "undecryptable"}
    assert run(page, body, given | {"info": b"Ode".hex()}) == {"refused": "undecryptable"}


def test_what_the_box_sealed_opens_in_the_browser_part_by_part(page: Page) -> None:
    item = two_parts()
    first, second = opened(page, item), opened(page, item, 1)
    assert (bytes.fromhex(first["data"]), first["kind"], first["id"]) == (b"short", "summary", CASE)
    assert (first["label"], first["priority"]) == ("HTEST", 0)
    assert (second["kind"], second["media"], second["recording"]) == ("picture", "image/avif", CASE)
    assert (second["index"], second["layer"], len(second["data"])) == (3, 1, 18_000)


def test_another_key_altered_bytes_and_another_place_are_refused(page: Page) -> None:
    item = two_parts()
    altered = item.objects[0].data[:-1] + bytes([item.objects[0].data[-1] ^ 1])
    bent = item.manifest[:-80] + bytes([item.manifest[-80] ^ 1]) + item.manifest[-79:]
    assert opened(page, item, key=STRANGER) == {"refused": "not_a_recipient"}
    assert opened(page, item, object=altered.hex()) == {"refused": "bad_hash"}
    assert opened(page, item, manifest=bent.hex())["refused"] in ("bad_signature", "malformed")
    assert opened(page, item, verify=new_signing_key().public_key().public_bytes_raw().hex()) == {
        "refused": "bad_signature"
    }
    assert opened(page, item, object=item.objects[1].data.hex()) == {"refused": "bad_hash"}


def test_a_chunk_opens_only_in_its_own_place(page: Page) -> None:
    """A manifest that lies about the bundle's id or an object's number gives nothing: both are authenticated."""
    item = two_parts()
    body = """const said = await m.openManifest(m.raw(given.manifest), m.raw(given.verify));
        const key = await m.bundleKey(said, await m.opener(given.secret, given.open));
        const lying = given.id ? {...said, id: given.id} : {...said, objects: [said.objects[0], said.objects[0]]};
        return m.openObject(lying, given.id ? 0 : 1, m.raw(given.object), key)"""
    given = {
        "manifest": item.manifest.hex(),
        "object": item.objects[0].data.hex(),
        "verify": BOX.public_key().public_bytes_raw().hex(),
        "secret": READER.private_bytes_raw().hex(),
        "open": READER.public_key().public_bytes_raw().hex(),
    }
    assert run(page, body, given | {"id": ""}) == {"refused": "undecryptable"}
    assert run(page, body, given | {"id": CASE.replace("a", "b")}) == {"refused": "undecryptable"}


def test_what_the_browser_seals_opens_at_the_site_and_nowhere_else(page: Page) -> None:
    made = run(
        page,
        """const made = await m.sealPart(given.id, "opinion", "application/vnd.chevet.opinion", m.raw(given.data), [m.raw(given.open)]);
        return {text: m.hex(made.ciphertext), wraps: made.wraps.map((one) => [m.hex(one.kid), m.hex(one.wrap)])}""",
        {"id": CASE, "data": b"\x80".hex() * 5000, "open": READER.public_key().public_bytes_raw().hex()},
    )
    text = bytes.fromhex(made["text"])
    manifest = Manifest(
        id=CASE, kind="opinion", case=CASE, origin="relay", seq=1, created=CLOCK, priority=0, label="",
        objects=(ObjectEntry(0, 0, len(text), hashlib.sha256(text).digest()),),
        wraps=tuple(Wrap(bytes.fromhex(kid), bytes.fromhex(wrap)) for kid, wrap in made["wraps"]),
    )  # fmt: skip
    assert open_sealed(manifest, {0: text}, READER).parts[0].data == b"\x80" * 5000
    with pytest.raises(Refused, match="not_a_recipient"):
        open_sealed(manifest, {0: text}, STRANGER)
    with pytest.raises(Refused, match="undecryptable"):
        open_sealed(replace(manifest, id=CASE.replace("a", "b")), {0: text}, READER)


def study() -> Study:
    wave = Waveform((Channel("I", "mV", 500.0, 0.001),), np.zeros((1, 500), np.int16))
    ecg = Recording(
        id=CASE.replace("1", "2"), step="ecg", driver="kit-ecg", link="serial", started_ms=CLOCK.wall_ms - 9000,
        duration_s=1.5, quality=QualityMark(0.4, False, ("lead_off:V2",)), waveforms=(wave,), device={"model": "kit"},
        simulated=True, measurements=(Measurement("heart_rate", 71.5, "/min", "60 / mean RR"), Measurement("qt", None, "ms", "x")),
    )  # fmt: skip
    return Study(
        id=CASE, site="abc", worker="amina", patient=Patient(CASE, "فاطمة Bouchra", 1971, "F", "R-77"),
        consent=Consent(("care",), CLOCK.wall_ms - 5, ""), reason="chest_pain", question="Un souffle ?",
        specialty="cardiology", urgency="urgent", closed=CLOCK, recordings=(ecg,), label="HTEST", notes={"red_flags": "none"},
        vitals=(Vital("spo2", 97.0, "%", "nonin-df2", CLOCK.wall_ms, QualityMark(0.695, True)),
                Vital("temperature", -0.5, "Cel", "manual", CLOCK.wall_ms, QualityMark(1.0, True)),
                Vital("weight", None, "kg", "manual", CLOCK.wall_ms, QualityMark(1.0, True))),
    )  # fmt: skip


def test_a_summary_reads_in_the_browser_as_in_python(page: Page) -> None:
    body = "return m.readSummary(m.raw(given.part), m.raw(given.words))"
    given = {"part": write_summary(study()).hex(), "words": DICTIONARY.hex()}
    found = run(page, body, given)
    assert (found["question"], found["specialty"], found["urgency"]) == (
        "Un souffle ?",
        "cardiology",
        "urgent",
    )
    assert found["patient"] == {"name": "فاطمة Bouchra", "birthYear": 1971, "sex": "F", "number": "R-77"}
    assert [(one["kind"], one["value"]) for one in found["vitals"]] == [
        ("spo2", 97), ("temperature", -0.5), ("weight", None),
    ]  # fmt: skip
    assert found["vitals"][0]["quality"] == {"score": 0.695, "usable": True, "reasons": []}
    only = found["recordings"][0]
    assert (only["step"], only["durationS"], only["simulated"]) == ("ecg", 1.5, True)
    assert only["quality"] == {"score": 0.4, "usable": False, "reasons": ["lead_off:V2"]}
    assert [(one["kind"], one["value"]) for one in only["measurements"]] == [
        ("heart_rate", 71.5),
        ("qt", None),
    ]
    assert (found["closedMs"], found["label"], found["notes"]) == (
        CLOCK.wall_ms,
        "HTEST",
        {"red_flags": "none"},
    )


@pytest.mark.parametrize("damage", [b"", b"\x01rest", b"\x02", b"\x02\x00\x00", b"\x02" + b"\xff" * 40])
def test_a_damaged_summary_is_refused(page: Page, damage: bytes) -> None:
    body = "return m.readSummary(m.raw(given.part), m.raw(given.words))"
    found = run(page, body, {"part": damage.hex(), "words": DICTIONARY.hex()})
    assert found["refused"] in ("summary_version", "summary_damaged", "malformed")


def test_a_summary_that_swells_without_end_is_refused(page: Page) -> None:
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = b"\x02" + bomb.compress(bytes(64 << 20)) + bomb.flush()
    body = "return m.readSummary(m.raw(given.part), m.raw(given.words))"
    assert run(page, body, {"part": data.hex(), "words": DICTIONARY.hex()}) == {"refused": "summary_damaged"}


@pytest.mark.parametrize(
    "value",
    [
        0,
        23,
        24,
        255,
        256,
        65536,
        1 << 40,
        -1,
        -25,
        True,
        False,
        None,
        "é",
        b"\0\xff",
        [1, [2, ["x"]]],
        [CASE, b""],
    ],
)
def test_cbor_goes_both_ways_as_python_writes_it(page: Page, value: Any) -> None:
    data = encode(value)
    assert run(page, "return m.hex(m.encode(m.decode(m.raw(given))))", data.hex()) == data.hex()


def test_hostile_cbor_is_refused_as_in_python(page: Page) -> None:
    cases = ["", "18", "1f", "5fff", "9b00000000ffffffff", "c000", "a10102", "a2616100616100", "62c328"]
    cases += ["81" * 9 + "00", "0000", "f8ff"]
    for text in cases:
        assert run(page, "return m.decode(m.raw(given))", text) == {"refused": "malformed"}, text
    assert run(page, "return m.decode(m.raw(given))", "f93c00") == decode(bytes.fromhex("f93c00"))
    assert run(page, "return m.decode(m.raw(given))", "fb3fe0000000000000") == 0.5


def test_keys_come_back_with_the_passphrase_and_cannot_be_read_out(page: Page) -> None:
    found = run(
        page,
        """const made = await m.makeKeys("dr", given);
        const keys = await m.unlock("dr", given, made.wrapped);
        const info = m.utf8("x"), data = await m.hpkeSeal(made.sealKey, m.utf8("hello"), info);
        const wrong = await m.unlock("dr", given + "!", made.wrapped).catch((error) => error.code);
        const other = await m.unlock("another", given, made.wrapped).catch((error) => error.code);
        return {open: m.hex(await m.hpkeOpen(keys.opener, data, info)), wrong, other, print: await m.fingerprint(made.sealKey, made.signKey),
          seal: m.hex(made.sealKey), sign: m.hex(made.signKey),
          out: await crypto.subtle.exportKey("pkcs8", keys.opener.privateKey).catch((error) => error.name)}""",
        "une phrase assez longue",
    )
    assert bytes.fromhex(found["open"]) == b"hello"
    assert (found["wrong"], found["other"]) == ("wrong_passphrase", "wrong_passphrase")
    assert found["out"] == "InvalidAccessError"
    assert len(found["print"].split()) == 6
    assert run(page, "return m.makeKeys('dr', 'short')") == {"refused": "short_passphrase"}


def test_a_packed_study_is_what_the_browser_reads(page: Page) -> None:
    item = sealed(*pack(study()).parts)
    found = opened(page, item)
    assert found["kind"] == "summary"
    assert read_manifest(item.manifest).id == found["id"]


def wandering(channels: int, count: int, step: float, kind: type[np.integer[Any]], seed: int) -> Any:
    """Samples as instruments have them: each near the one before, all within `kind`."""
    drift = np.cumsum(np.random.default_rng(seed).normal(0, step, (channels, count)), axis=1)
    return np.clip(drift, np.iinfo(kind).min, np.iinfo(kind).max).astype(kind)


def twelve_leads(rounding: Any) -> Any:
    """Limb leads that follow from I and II, halved as some instrument halves, and six more."""
    rows = wandering(12, 2500, 9, np.int16, 7).astype(np.int64)
    one, two = rows[0], rows[1]
    rows[2:6] = [
        two - one,
        rounding((-one - two) / 2),
        rounding((2 * one - two) / 2),
        rounding((2 * two - one) / 2),
    ]
    return rows.astype(np.int16)


WAVES = {
    "one row": wandering(1, 3000, 20, np.int16, 1),
    "two rows in two frames": wandering(2, 300_000, 4, np.int16, 2),
    "twelve leads, halved down": twelve_leads(np.floor),
    "twelve leads, toward zero": twelve_leads(np.trunc),
    "twelve leads, half to even": twelve_leads(np.rint),
    "every eighth value": wandering(1, 5000, 3, np.int16, 3) * np.int16(8),
    "few values, far apart": np.random.default_rng(4)
    .choice([-32768, -5, 0, 900, 32767], (2, 3000))
    .astype(np.int16),
    "nothing moves": np.full((3, 200), -32768, np.int16),
    "the ends of 16 bits": np.tile(np.array([-32768, 32767], np.int16), (2, 1500)),
    "24 bits of 32": wandering(3, 4000, 90_000, np.int32, 5),
    "all of 32 bits": (np.random.default_rng(6).integers(0, 9, (2, 2048)) * 0x0FFFFFFF - 2**31).astype(
        np.int32
    ),
}


@pytest.mark.parametrize("what", WAVES)
def test_exact_waveforms_come_out_of_the_browser_to_the_last_bit(page: Page, what: str) -> None:
    samples = WAVES[what]
    blob = encode_waveform(samples, 500.0)
    assert blob[3] in (3, 4)
    told = run(
        page,
        """const {bits, rows} = m.decodeWaveform(m.raw(given));
        const digest = async (row) => m.hex(await m.sha256(new Uint8Array(row.buffer)));
        return {bits, count: rows[0].length, rows: await Promise.all(rows.map(digest))}""",
        blob.hex(),
    )
    assert (told["bits"], told["count"]) == (8 * samples.itemsize, samples.shape[1])
    assert told["rows"] == [hashlib.sha256(row.astype("<i4").tobytes()).hexdigest() for row in samples]


def joined_channels(seed: int) -> Any:
    """Two channels that are near each other, so that an encoder keeps their middle or their difference."""
    one = wandering(1, 9000, 40, np.int16, seed)[0].astype(np.int64)
    small = np.random.default_rng(seed).integers(-3, 4, 9000)
    return np.clip(np.stack([one, one + small]), -32768, 32767).astype(np.int16)


FLAC_WAVES = WAVES | {
    "two alike": joined_channels(10),
    "wasted bits": wandering(1, 5000, 3, np.int16, 12) * np.int16(64),
    "noise": np.random.default_rng(13).integers(-32768, 32768, (1, 6000)).astype(np.int16),
    "a sine": np.rint(9000 * np.sin(np.arange(8000) / 7)).astype(np.int16)[None],
    "nine rows": wandering(9, 1200, 9, np.int16, 14),
    "one sample": np.array([[-7], [9]], np.int16),
    "none": np.zeros((2, 0), np.int16),
}


def test_waveforms_in_flac_come_out_of_the_browser_to_the_last_bit(page: Page) -> None:
    """Versions 1 and 2, as libsndfile writes them: joint channels, wasted bits, escapes, low bytes apart."""
    blobs = {}
    for what, samples in FLAC_WAVES.items():
        halving, stored = without_limb_leads(samples)
        blobs[what] = encode_flac(stored, 500.0, 0 if halving is None else 1 | halving << 1)
    told = run(
        page,
        """const digest = async (rows) => m.hex(await m.sha256(m.joined(...rows.map((row) => new Uint8Array(row.buffer)))));
        return Promise.all(given.map(async (text) => {
          try { const {bits, rows} = m.decodeWaveform(m.raw(text)); return [bits, await digest(rows)] } catch (error) { return String(error) }
        }))""",
        [blob.hex() for blob in blobs.values()],
    )
    wanted = [
        [8 * rows.itemsize, hashlib.sha256(rows.astype("<i4").tobytes()).hexdigest()]
        for rows in FLAC_WAVES.values()
    ]
    assert dict(zip(FLAC_WAVES, told, strict=True)) == dict(zip(FLAC_WAVES, wanted, strict=True))
    assert {blob[3] for blob in blobs.values()} == {1, 2}


REFUSED = "return given.map((text) => { try { return m[WHAT](m.raw(text)).rows.length } catch (error) { return error.code ?? String(error) } })"


def damages(blob: bytes, first: int) -> list[bytes]:
    """The bytes cut, grown, and with one of them changed at some forty places from `first` on."""
    places = range(first, len(blob), max(len(blob) // 40, 1))
    changed = [blob[:place] + bytes([blob[place] ^ 0x55]) + blob[place + 1 :] for place in places]
    return [blob[:at] for at in (0, 9, 40, len(blob) - 1)] + [blob + b"\0", *changed]


def test_a_damaged_waveform_is_refused_or_wrong_but_never_hangs(page: Page) -> None:
    for blob in (encode_waveform(WAVES["one row"], 500.0), encode_flac(FLAC_WAVES["two alike"], 500.0)):
        broken = [one.hex() for one in damages(blob, 4)]
        told = run(page, REFUSED.replace("WHAT", '"decodeWaveform"'), broken)
        assert told[:5] == ["waveform_damaged"] * 5
        assert set(told) <= {"waveform_damaged", 1, 2}


def previewed() -> dict[str, Waveform]:
    """What previews are made of: twelve leads, a pulse wave, a gap, a flat line, full scale, a long recording."""
    names = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    leads = tuple(Channel(name, "mV", 500.0, 0.001) for name in names)
    pulse = (Channel("pleth", "1", 75.0, 1.0),)
    square = np.tile(np.repeat(np.array([32767, -32768], np.int16), 40), 20)
    return {
        "twelve leads": Waveform(leads, twelve_leads(np.floor), (Gap(998, 4),)),
        "two leads": Waveform(leads[6:8], wandering(2, 3601, 12, np.int16, 21)),
        "a pulse wave": Waveform(pulse, wandering(1, 2250, 200, np.int16, 22)),
        "a flat line": Waveform(pulse, np.full((1, 500), 7, np.int16)),
        "full scale": Waveform(leads[6:7], square[None]),
        "long and wild": Waveform(leads[6:], wandering(6, 60_000, 900, np.int16, 23)),
        "one sample": Waveform(pulse, np.array([[3]], np.int16)),
    }


def test_previews_open_in_the_browser_as_in_python_to_the_last_integer(page: Page) -> None:
    parts = {what: write_preview(waveform) for what, waveform in previewed().items()}
    told = run(
        page,
        """return Promise.all(given.map(async (text) => {
          try {
            const {channels, gaps, rows} = m.readPreview(m.raw(text));
            return [channels, gaps, m.hex(await m.sha256(m.joined(...rows.map((row) => new Uint8Array(row.buffer)))))];
          } catch (error) { return String(error.stack) }
        }))""",
        [part.hex() for part in parts.values()],
    )
    for (what, part), found in zip(parts.items(), told, strict=True):
        seen = read_preview(part)
        channels = [[one.name, one.unit, one.rate_hz, one.gain, one.offset] for one in seen.channels]
        digest = hashlib.sha256(seen.values.astype("<i4").tobytes()).hexdigest()
        assert found == [channels, [[gap.first, gap.count] for gap in seen.gaps], digest], what


def test_a_preview_is_drawn_as_one_and_a_damaged_one_never_hangs(page: Page) -> None:
    part = write_preview(previewed()["twelve leads"])
    shown = run(
        page,
        'const wave = m.waveOf(m.readPreview(m.raw(given)), "preview"); return [wave.layer, wave.leads.length, wave.gaps]',
        part.hex(),
    )
    assert shown == ["preview", 12, [[499, 2]]]
    told = run(page, REFUSED.replace("WHAT", '"readPreview"'), [one.hex() for one in damages(part, 2)])
    assert set(told) <= {"waveform_damaged", "malformed", 12}
    assert 12 in told
    row = decode(part)
    for place, value in (
        (0, 1),
        (1, [row[1][0], 1 << 31, []]),
        (2, [0, 0, 6, 7]),
        (2, [99]),
        (3, row[3][:90]),
    ):
        bent = [*row[:place], value, *row[place + 1 :]]
        assert run(page, "return m.readPreview(m.raw(given))", encode(bent).hex()) == {
            "refused": "waveform_damaged"
        }


def test_a_browser_plays_the_ears_clip(page: Page) -> None:
    """The container that boxes write: every picture of it is decoded, with its size and its time."""
    data = (Path(__file__).parents[1] / "study" / "examples" / "clip.avif").read_bytes()
    film = Image.open(io.BytesIO(data))
    told = run(
        page,
        """const decoder = new ImageDecoder({data: m.raw(given), type: "image/avif"});
        await decoder.tracks.ready;
        await decoder.completed;
        const {frameCount, animated} = decoder.tracks.selectedTrack;
        const frames = [];
        for (let frameIndex = 0; frameIndex < frameCount; frameIndex++) {
          const {image} = await decoder.decode({frameIndex});
          frames.push([image.displayWidth, image.displayHeight, image.duration > 0]);
        }
        return {animated, frames}""",
        data.hex(),
    )
    assert told == {"animated": True, "frames": [[*film.size, True]] * film.n_frames}
    assert film.n_frames > 1


def test_a_recordings_part_becomes_what_paper_and_player_take(page: Page) -> None:
    leads = (Channel("I", "mV", 500.0, 0.005, -1.5), Channel("II", "mV", 500.0, 0.005, -1.5))
    ecg = Waveform(leads, wandering(2, 5000, 9, np.int16, 8), (Gap(100, 25),))
    sound = Waveform((Channel("sound", "1", 4000.0, 2.0**-23),), wandering(1, 4000, 5000, np.int32, 9))
    both = replace(study().recordings[0], waveforms=(ecg, sound))
    (part,) = [piece.data for piece in lossless_pieces(both)]
    told = run(
        page,
        """const [ecg, sound] = m.exactWaves(m.raw(given)), wave = m.waveOf(ecg), wav = m.wavOf(sound);
        return {sounds: [m.isSound(ecg), m.isSound(sound)], rate: wave.rate_hz, unit: wave.unit, gaps: wave.gaps,
          names: wave.leads.map((lead) => lead.name), first: wave.leads[0].values[700], wav: m.hex(wav)}""",
        part.hex(),
    )
    assert told.get("sounds", told) == [False, True]
    assert (told["rate"], told["unit"], told["gaps"]) == (500, "mV", [[100, 25]])
    assert told["names"] == ["I", "II", "III", "aVR", "aVL", "aVF"]
    assert told["first"] == pytest.approx(ecg.values[0, 700] * 0.005 - 1.5)
    values, rate = sf.read(io.BytesIO(bytes.fromhex(told["wav"])), dtype="int32")
    assert rate == 4000
    assert (values == sound.values[0].astype(np.int64) * 256).all()
