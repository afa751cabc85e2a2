"""How an export leaves: by the desk's API or the operator's command, streamed, audited, naming nobody."""

import base64
import io
import json
import zipfile
from functools import partial

import numpy as np
import pydicom
import pytest
from PIL import Image

from chevet.exchange.manifest import CHUNK, read_manifest
from chevet.relay.cli import main
from chevet.relay.errors import RefusedError
from chevet.relay.exports.files import PIECE
from chevet.relay.exports.forms import FORMS, archive
from chevet.relay.exports.samples import unused
from chevet.relay.exports.subject import subject
from chevet.study.bundle import pack
from chevet.study.recording import StoredPicture, Waveform
from chevet.study.study import Consent

from .conftest import NOON, code, deliver, messages
from .export_cases import ear, exported, jpeg, pulse, recording, send_exact, sound, visit

PDF = b"%PDF-1.7\nZahra Seededname\n%%EOF\n"


@pytest.fixture
def sent(world, make_study):
    return partial(send_exact, world, make_study)


@pytest.fixture
def config(world, programme, tmp_path):
    path = tmp_path / "relay.toml"
    path.write_text(f'keys = "{programme / "keys"}"\narchive = "{world.settings.archive}"\n')
    return str(path)


def opened(data):
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        assert zipped.testzip() is None
        return {name: zipped.read(name) for name in zipped.namelist()}


def audited(world, case):
    with world.relay.database.read() as connection:
        assert world.relay.audit.verify(connection) is None
        query = "select who, what, detail from audit where subject = ? and what like 'case.export%'"
        return connection.exec_driver_sql(query, (case,)).all()


@pytest.mark.parametrize("form", FORMS)
async def test_the_desk_takes_a_case_in_every_form_under_a_pseudonym(world, client, sent, form):
    study = sent(recordings=(recording("ecg", waveforms=(pulse(seconds=2),)), visit()[1], ear("left")))
    async with client(world.user()) as desk:
        answer = await desk.get(f"/api/cases/{study.id}/export", params={"form": form})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["content-disposition"] == f'attachment; filename="{study.id}-{form}.zip"'
    assert answer.headers["cache-control"] == "no-store"
    files = opened(answer.content)
    contents = json.loads(files[f"{study.id}/contents.json"])
    assert (contents["form"], contents["patient"]) == (form, study.patient.id)
    assert len(contents["files"]) == len(files) - 1 > 0
    assert not any(b"Zahra" in data or b"Seededname" in data for data in files.values())
    assert audited(world, study.id) == [("dr", "case.export", f"{form} care pseudonym")]


async def test_what_may_not_leave_is_refused_and_not_written_down_as_left(world, client, sent):
    study = sent(recordings=(ear("left"),))
    simulated = sent("HTEST", recordings=visit()[:1])
    async with client(world.user()) as desk:
        where = f"/api/cases/{study.id}/export"
        refused = await desk.get(where, params={"form": "dicom", "purpose": "teaching"})
        assert code(refused) == (403, "no_consent")
        assert audited(world, study.id) == []
        assert code(await desk.get(where, params={"form": "xml"})) == (422, "invalid")
        assert code(await desk.get(where, params={"form": "wav"})) == (404, "not_found")
        assert code(await desk.get("/api/cases/none/export?form=wav")) == (404, "not_found")
        hidden = await desk.get(f"/api/cases/{simulated.id}/export?form=wfdb")
        assert code(hidden) == (404, "not_found")


def test_a_case_that_is_still_arriving_gives_what_is_here_and_names_the_rest(world, make_study):
    study = make_study(recordings=(recording("ecg", waveforms=(pulse(),)), ear("left")))
    sealed = world.site.seal(pack(study, lambda _: ()), "")
    payloads = messages(sealed)
    chunks = [-(-entry.size // CHUNK) for entry in read_manifest(sealed.manifest).objects]
    receiver = world.receiver()
    deliver(receiver, payloads[: 1 + chunks[0]])
    with pytest.raises(RefusedError, match="not arrived yet"):
        archive(subject(world.relay, study.id, "dr", "wfdb"), "wfdb")
    deliver(receiver, payloads[1 + chunks[0] : -1])
    files = opened(b"".join(archive(subject(world.relay, study.id, "dr", "dicom"), "dicom")))
    contents = json.loads(files[f"{study.id}/contents.json"])
    assert [item["reason"] for item in contents["left_out"]] == ["not_yet_here"]
    assert contents["files"]


def photograph(form):
    """A picture whose camera says what it is, and when it was taken."""
    camera = Image.Exif()
    camera[0x010F], camera[0x0132] = "Seededcamera", "2026:03:12 10:00:00"
    out = io.BytesIO()
    Image.open(io.BytesIO(jpeg())).save(out, form, exif=camera)
    return out.getvalue()


def held(files):
    """Everything in an export, what a bundle holds as text included, and why something is not."""
    entries = json.loads(files["bundle.json"])["entry"] if "bundle.json" in files else []
    inner = [base64.b64decode(one["resource"].get("data", "")) for one in entries]
    left_out = json.loads(files["contents.json"])["left_out"]
    return b"".join([*files.values(), *inner]), [item["reason"] for item in left_out]


@pytest.mark.parametrize("form", ["dicom", "fhir"])
def test_what_a_camera_says_of_itself_leaves_only_with_names(world, sent, form):
    loud = photograph("JPEG")
    assert b"Seededcamera" in loud
    study = sent(recordings=(ear(data=loud, with_clip=False),))
    hidden, left_out = held(exported(world.relay, study, form))
    assert left_out == []
    assert loud[-4000:] in hidden  # the picture as it was coded
    assert b"Seededcamera" not in hidden
    assert b"2026:03:12" not in hidden
    named, left_out = held(exported(world.relay, study, form, identity="full"))
    assert left_out == []
    assert loud in named


def test_a_still_that_cannot_be_cut_leaves_as_its_pixels_or_is_named_as_left_out(world, sent):
    still = StoredPicture(photograph("WEBP"), "image/webp", 0.5, True)
    study = sent(recordings=(recording("otoscopy", side="left", pictures=(still,)),))
    pixels, left_out = held(exported(world.relay, study, "dicom"))
    assert left_out == []
    assert np.asarray(Image.open(io.BytesIO(still.data)).convert("RGB")).tobytes() in pixels
    assert b"Seededcamera" not in pixels
    hidden, left_out = held(exported(world.relay, study, "fhir"))
    assert left_out == ["not_plain"]
    assert b"Seededcamera" not in hidden
    named, left_out = held(exported(world.relay, study, "fhir", identity="full"))
    assert left_out == []
    assert still.data in named


def test_an_archive_comes_in_pieces_however_large_it_is(world, sent):
    study = sent(recordings=(recording("lung_sound", site="Pr", waveforms=(sound(8000.0, 30, ()),)),))
    pieces = list(archive(subject(world.relay, study.id, "dr", "wav"), "wav"))
    assert sum(map(len, pieces)) < 8000 * 30 * 2
    assert max(map(len, pieces)) < 4 * PIECE
    assert len(pieces) > 3


def test_simulated_cases_carry_their_label_in_every_name(world, sent):
    study = sent("HTEST", recordings=visit()[:2])
    training = world.again(label="HTEST")
    for form in ("wfdb", "edf", "wav", "dicom"):
        files = opened(b"".join(archive(subject(training, study.id, "dr", form), form)))
        for name, data in files.items():
            assert name.startswith(f"HTEST-{study.id}/")
            assert name.endswith("contents.json") or name.rpartition("/")[2].startswith("HTEST")
            if not name.endswith(".dat"):
                assert b"HTEST" in data
                assert b"not a certified medical device" in data


def test_the_command_writes_a_private_archive_once(world, sent, config, tmp_path, capsys):
    study = sent(recordings=visit()[1:2])
    out = tmp_path / "case.zip"
    words = ["export", "files", study.id, "--form", "wav", "--out", str(out), "--config", config]
    assert main(words) == 0
    assert out.stat().st_mode & 0o777 == 0o600
    assert f"{study.id}/heart-sound-1-1.wav" in opened(out.read_bytes())
    assert "not a certified medical device" in capsys.readouterr().out
    assert main(words) == 1
    assert "--force" in capsys.readouterr().err
    assert main([*words, "--force"]) == 0
    assert main([*words[:6], str(tmp_path / "no" / "where.zip"), "--config", config]) == 1
    assert "choose another --out" in capsys.readouterr().err
    assert list(tmp_path.glob(".*.part")) == []
    assert audited(world, study.id)[0] == ("operator", "case.export", "wav care pseudonym")


def test_a_printed_report_goes_along_only_with_names(world, sent, config, tmp_path, capsys):
    study = sent(recordings=visit()[:1])
    out, pdf = tmp_path / "case.zip", tmp_path / "report.pdf"
    words = ["export", "files", study.id, "--form", "dicom", "--out", str(out), "--config", config]
    words += ["--report", str(pdf)]
    assert main(words) == 1
    assert "names the patient" in capsys.readouterr().err
    assert main([*words, "--with-names"]) == 1
    assert "Cannot read" in capsys.readouterr().err
    pdf.write_bytes(b"no report")
    assert main([*words, "--with-names"]) == 1
    assert "no PDF" in capsys.readouterr().err
    assert not out.exists()
    pdf.write_bytes(PDF)
    assert main([*words, "--with-names"]) == 0
    report = pydicom.dcmread(io.BytesIO(opened(out.read_bytes())[f"{study.id}/report.dcm"]))
    assert report.EncapsulatedDocument[: report.EncapsulatedDocumentLength] == PDF
    assert str(report.PatientName) == "Zahra Seededname"
    assert audited(world, study.id)[-1] == ("operator", "case.export", "dicom care full")


def test_names_leave_for_care_alone(world, sent, config, tmp_path, capsys):
    study = sent(recordings=visit()[1:2], consent=Consent(("care", "research"), NOON))
    words = [
        "export",
        "files",
        study.id,
        "--form",
        "wav",
        "--out",
        str(tmp_path / "a.zip"),
        "--config",
        config,
    ]
    assert main([*words, "--purpose", "research", "--with-names"]) == 1
    assert "for care only" in capsys.readouterr().err
    assert main([*words, "--purpose", "research"]) == 0


def test_a_number_for_gaps_is_found_below_between_and_above_the_samples():
    channels = pulse(leads=("I",)).channels
    edges = np.array([[-32768, -32767, 32767]], np.int16)
    assert unused(Waveform(channels, edges), 16) == -32766
    below = np.arange(-32768, 32767).astype(np.int16)[None]
    assert unused(Waveform(channels, below), 16) == 32767
    assert unused(Waveform(channels, edges[:, 1:]), 16) == -32768
