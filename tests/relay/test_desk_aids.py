"""What helps to read a recording: draft marks, views for ear and eye, a clip's pictures, earlier visits."""

import io
import wave as wavefile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from relay_desk.signals_for_desk import LEADS, eardrum, heart_sound
from relay_desk.signals_for_desk import ecg as twelve_leads

from chevet.devices.samples import Channel
from chevet.relay.reading.ecg import ecg_marks
from chevet.relay.reading.picture import clip_frames, enhanced_jpeg
from chevet.relay.reading.sound import lungs_alone, sound_marks
from chevet.relay.reading.waves import leads
from chevet.study.bundle import pack
from chevet.study.clip import encode_clip
from chevet.study.recording import Gap, StoredClip, StoredPicture, Waveform
from chevet.study.study import QualityMark, Vital

from .conftest import NOON, code, deliver, ear, ecg, messages

EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")


def ecg_wave(gaps=()):
    rows = [LEADS.index(name) for name in EIGHT]
    return Waveform(tuple(Channel(name, "mV", 500.0, 0.001) for name in EIGHT), twelve_leads()[rows], gaps)


def sound_wave(beside_ecg=True):
    values = np.round(heart_sound() * 30000).astype(np.int16)[None]
    sound = Waveform((Channel("sound", "1", 4000.0, 1 / 32768),), values)
    lead = Waveform((Channel("II", "mV", 500.0, 0.001),), twelve_leads(duration_s=8)[1:2])
    return (sound, lead) if beside_ecg else (sound,)


def test_marks_lie_on_the_waves_of_every_beat():
    found = ecg_marks(ecg_wave())
    waves = {name: np.array(at) for name, at in found["waves"].items()}
    assert len(waves["qrs_peak"]) == 12
    for before, after in (("p_on", "qrs_on"), ("qrs_on", "qrs_off"), ("qrs_off", "t_off")):
        both = (waves[before] >= 0) & (waves[after] >= 0)
        assert both.sum() >= 10
        assert (waves[before][both] < waves[after][both]).all()
    assert found["swaps"] == []


def test_exchanged_arms_are_asked_about():
    wave = ecg_wave()
    swapped = wave.values.copy()
    swapped[0] = -wave.values[0]
    swapped[1] = wave.values[1] - wave.values[0]
    found = ecg_marks(replace(wave, values=swapped))["swaps"]
    assert [one["electrodes"] for one in found] == [["RA", "LA"]]


def test_a_signal_too_short_to_judge_has_no_marks():
    wave = replace(ecg_wave(), values=ecg_wave().values[:, :200])
    found = ecg_marks(wave)
    assert found["waves"]["qrs_peak"] == []
    assert found["swaps"] == []


def test_limb_leads_that_were_not_sent_follow_exactly():
    names, values = leads(ecg_wave((Gap(10, 2),)))
    assert names[:6] == ("I", "II", "III", "aVR", "aVL", "aVF")
    rows = dict(zip(names, values, strict=True))
    assert np.nanmax(np.abs(rows["I"] + rows["III"] - rows["II"])) < 1e-9
    assert np.isnan(rows["aVF"][10:12]).all()


def test_first_and_second_sound_are_marked_and_the_murmur_lies_between():
    found = sound_marks(sound_wave())
    assert found["guided_by_ecg"]
    first = [begin for begin, _, state in found["states"] if state == "s1"]
    second = [begin for begin, _, state in found["states"] if state == "s2"]
    assert len(first) == pytest.approx(9, abs=1)
    assert np.median(np.array(second[:7]) - np.array(first[:7])) == pytest.approx(0.33, abs=0.06)
    cycle = np.array(found["envelope"]["cycle"])
    assert cycle[:45].mean() > 2 * cycle[60:].mean()
    assert all(level is None or level < 0 for level in found["noise"]["level_db"])


def test_an_ecg_that_began_later_guides_by_its_own_beginning():
    sound, lead = sound_wave()
    later = 150  # samples of 250 or 500 Hz that came before its first one here
    rate_hz = lead.channels[0].rate_hz
    cut = replace(lead, values=lead.values[:, later:], later_s=later / rate_hz)
    whole = [one for one in sound_marks((sound, lead))["states"] if one[2] == "s1"]
    found = [one for one in sound_marks((sound, cut))["states"] if one[2] == "s1"]
    assert len(found) >= len(whole) - 1
    nearest = [min(abs(a[0] - b[0]) for b in whole) for a in found]
    assert max(nearest) < 0.03


def test_a_noisier_room_raises_the_noise_track():
    def level(noise):
        sound = sound_wave(beside_ecg=False)[0]
        rng = np.random.default_rng(4)
        values = sound.values + (noise * rng.normal(size=sound.values.shape)).astype(np.int16)
        found = sound_marks((replace(sound, values=values.astype(np.int16)),))
        return np.median(found["noise"]["level_db"])

    assert level(600) > level(20) + 10


def test_without_the_heart_the_first_sounds_are_fainter_and_the_length_stays():
    waves = sound_wave()
    with wavefile.open(io.BytesIO(lungs_alone(waves))) as file:
        assert (file.getframerate(), file.getnframes()) == (4000, waves[0].values.shape[1])
        lung = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    loud = [
        slice(int(a * 4000), int(b * 4000)) for a, b, state in sound_marks(waves)["states"] if state == "s1"
    ]
    before = np.mean([np.square(waves[0].values[0, one].astype(float)).mean() for one in loud])
    after = np.mean([np.square(lung[one]).mean() for one in loud])
    assert after < 0.25 * before


def test_a_sound_too_short_says_nothing():
    sound = sound_wave(beside_ecg=False)[0]
    short = replace(sound, values=sound.values[:, :400])
    found = sound_marks((short,))
    assert (found["states"], found["envelope"], found["noise"]) == ([], None, None)
    with pytest.raises(ValueError, match="s"):
        lungs_alone((short,))


def test_the_enhanced_picture_has_the_size_of_the_original_and_more_contrast():
    data, _ = eardrum("right", "lossless")
    with Image.open(io.BytesIO(enhanced_jpeg(data))) as shown, Image.open(io.BytesIO(data)) as original:
        assert shown.size == original.size
        assert np.asarray(shown.convert("L")).std() > np.asarray(original.convert("L")).std()


@pytest.mark.parametrize("data", [b"", b"\xff\xd8nothing", b"GIF89a"])
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(ValueError, match="picture"):
        enhanced_jpeg(data)
    with pytest.raises(ValueError, match="picture"):
        clip_frames(data)


def film():
    stills = [(0.08 * n, eardrum(side, "lossless")[0]) for n, side in enumerate(("right", "left") * 3)]
    made = encode_clip(stills)
    assert made is not None
    return made


def test_a_clip_comes_apart_into_its_pictures_in_time():
    frames = clip_frames(film().data)
    assert [at_s for at_s, _ in frames] == pytest.approx([0.08 * n for n in range(6)], abs=0.002)
    first, second = (np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float) for _, data in frames[:2])
    assert np.abs(first - second).mean() > 5


async def test_the_desk_gets_marks_print_and_views(world, client, sent):
    heart = ecg(step="heart_sound", site="M", waveforms=sound_wave(), driver="kit-stethoscope")
    still = StoredPicture(eardrum("left", "lossless")[0], "image/jpeg", 0.5, True)
    look = replace(ear(), pictures=(still,), clip=film())
    study = sent(recordings=(ecg(waveforms=(ecg_wave(),)), heart, look))
    first, second, third = (f"/api/cases/{study.id}/recordings/{one.id}" for one in study.recordings)
    async with client(world.user()) as desk:
        case = (await desk.get(f"/api/cases/{study.id}")).json()
        assert case["recordings"][1]["streams"][1] == {"unit": "mV", "rate_hz": 500.0, "names": ["II"]}
        assert (await desk.get(f"{first}/marks")).json()["kind"] == "ecg"
        assert (await desk.get(f"{second}/marks")).json()["kind"] == "sound"
        assert code(await desk.get(f"{third}/marks")) == (404, "not_yet_here")
        paper = await desk.get(f"{first}/print?layout=6x2&order=cabrera&gain=20&filter=monitor&language=ar")
        assert (paper.headers["content-type"], paper.content[:5]) == ("application/pdf", b"%PDF-")
        assert paper.headers["content-disposition"] == 'inline; filename="ecg.pdf"'
        assert code(await desk.get(f"{second}/print")) == (404, "not_found")
        assert code(await desk.get(f"{first}/print?layout=5x5")) == (422, "invalid")
        beside = await desk.get(f"{second}/waveform?number=1")
        assert b'"II"' in beside.content
        assert code(await desk.get(f"{second}/waveform?number=2")) == (404, "not_found")
        assert (await desk.get(f"{second}/sound/without-heart")).content[:4] == b"RIFF"
        assert code(await desk.get(f"{first}/sound/without-heart")) == (404, "not_found")
        assert (await desk.get(f"{third}/pictures/0/enhanced")).content[:2] == b"\xff\xd8"
        assert code(await desk.get(f"{third}/pictures/5/enhanced")) == (404, "not_yet_here")
        assert len((await desk.get(f"{third}/clip/frames")).json()["seconds"]) == 6
        assert (await desk.get(f"{third}/clip/frames/5")).headers["content-type"] == "image/jpeg"
        assert code(await desk.get(f"{third}/clip/frames/6")) == (404, "not_found")
        assert code(await desk.get(f"{first}/clip/frames")) == (404, "not_found")


async def test_what_cannot_be_worked_on_says_so(world, client, sent):
    broken = replace(ear(), clip=StoredClip(b"no film", "image/avif", 0.0, 1.0))
    short = replace(sound_wave(beside_ecg=False)[0], values=sound_wave(beside_ecg=False)[0].values[:, :400])
    heart = ecg(step="heart_sound", site="M", waveforms=(short,))
    study = sent(recordings=(broken, heart))
    first, second = (f"/api/cases/{study.id}/recordings/{one.id}" for one in study.recordings)
    async with client(world.user()) as desk:
        assert code(await desk.get(f"{first}/pictures/0/enhanced")) == (404, "not_found")
        assert code(await desk.get(f"{first}/clip/frames")) == (404, "not_found")
        assert code(await desk.get(f"{second}/sound/without-heart")) == (404, "not_found")
        assert code(await desk.get(f"/api/cases/{study.id}/recordings/none/marks")) == (404, "not_found")


async def test_marks_wait_for_the_exact_samples(world, client, make_study):
    study = make_study(recordings=(ecg(),))
    deliver(world.receiver(), messages(world.site.seal(pack(study)))[:3])
    async with client(world.user()) as desk:
        answer = await desk.get(f"/api/cases/{study.id}/recordings/{study.recordings[0].id}/marks")
    assert code(answer) == (404, "not_yet_here")


async def test_earlier_visits_are_of_the_same_patient_and_older(world, client, sent, make_study):
    def visit(patient, days):
        at = NOON - days * 86_400_000
        seen = Vital("spo2", 90.0 + days / 10, "%", "nonin-df2", at, QualityMark(1.0, True))
        closed = replace(make_study().closed, wall_ms=at)
        return sent(patient=patient, closed=closed, vitals=(seen,), recordings=(ecg(),))

    zahra, other = make_study().patient, make_study().patient
    old, present = visit(zahra, 30), visit(zahra, 2)
    visit(other, 10)
    visit(zahra, 1)
    async with client(world.user()) as desk:
        visits = (await desk.get(f"/api/cases/{present.id}/earlier")).json()["visits"]
        assert code(await desk.get("/api/cases/none/earlier")) == (404, "not_found")
    assert [one["id"] for one in visits] == [old.id]
    assert visits[0]["vitals"][0]["value"] == 93.0
    assert visits[0]["recordings"][0]["layers"]["3"]["have"] > 0
    assert "patient" not in visits[0]
