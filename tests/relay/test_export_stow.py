"""Objects sent to a real Orthanc come back as they were; an archive that fails or lies is found out."""

import json
import shutil
import socket
import subprocess
import time
from functools import partial
from pathlib import Path

import httpx
import numpy as np
import pytest
from dicomweb_client.api import DICOMwebClient
from pydicom import uid as uids
from pydicom.encaps import generate_frames

from chevet.relay.cli import main
from chevet.relay.exports.dicom_files import every_object
from chevet.relay.exports.dicom_object import encoded
from chevet.relay.exports.dicom_pdf import encapsulated
from chevet.relay.exports.stow import StowError, connect, first_part, same, send
from chevet.relay.exports.subject import subject

from .export_cases import ear, jpeg, pulse, recording, send_exact, visit

PLUGINS = Path("/usr/share/orthanc/plugins")
PACKAGES = "the Debian packages orthanc and orthanc-dicomweb are not installed"
ORTHANC = shutil.which("Orthanc")
CLASSES = {
    uids.TwelveLeadECGWaveformStorage,
    uids.GeneralECGWaveformStorage,
    uids.General32bitECGWaveformStorage,
    uids.AmbulatoryECGWaveformStorage,
    uids.GeneralAudioWaveformStorage,
    uids.ArterialPulseWaveformStorage,
    uids.VLEndoscopicImageStorage,
    uids.VideoEndoscopicImageStorage,
    uids.EncapsulatedPDFStorage,
}
"""Every class that leaves."""


@pytest.fixture
def sent(world, make_study):
    return partial(send_exact, world, make_study)


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory):
    """A real archive on loopback with one account; its DICOMweb address."""
    if ORTHANC is None or not (PLUGINS / "libOrthancDicomWeb.so").exists():
        pytest.skip(PACKAGES)
    folder = tmp_path_factory.mktemp("orthanc")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    (folder / "orthanc.json").write_text(
        json.dumps(
            {
                "StorageDirectory": str(folder / "db"),
                "IndexDirectory": str(folder / "db"),
                "HttpPort": port,
                "DicomServerEnabled": False,
                "RemoteAccessAllowed": False,
                "AuthenticationEnabled": True,
                "RegisteredUsers": {"relay": "secret words"},
                "Plugins": [str(PLUGINS / "libOrthancDicomWeb.so")],
            }
        )
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([ORTHANC, str(folder / "orthanc.json")], stdout=log, stderr=log)
    try:
        _until_answering(process, port)
        yield f"http://127.0.0.1:{port}/dicom-web"
    finally:
        process.terminate()
        process.wait(60)


def _until_answering(process, port):
    for _ in range(600):
        assert process.poll() is None, "Orthanc ended at once"
        try:
            httpx.get(f"http://127.0.0.1:{port}/system", auth=("relay", "secret words")).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("Orthanc did not answer within a minute")


def test_a_whole_case_is_found_and_fetched_as_it_was_sent(world, sent, orthanc):
    rhythm = (
        recording("ecg", waveforms=(pulse(leads=("II",), rate_hz=250.0),)),
        recording("ecg", waveforms=(pulse(leads=("II",), rate_hz=125.0),)),
        recording("ecg", waveforms=(pulse(leads=("II",), gain=1e-6, wide=True),)),
    )
    study = sent(recordings=visit() + rhythm)
    found = subject(world.relay, study.id, "operator", "stow")
    objects = [item for item in every_object(found) if isinstance(item, tuple)]
    objects.append((encapsulated(found, b"%PDF-1.4 a page", "Report"), uids.ExplicitVRLittleEndian))
    assert {ds.SOPClassUID for ds, _ in objects} == CLASSES
    with connect(orthanc, user="relay", password="secret words") as client:
        outcomes = list(send(client, objects))
    assert {outcome.state for outcome in outcomes} == {"stored"}
    assert len(outcomes) == len(objects) == 13
    session = _session()
    reader = DICOMwebClient(orthanc, session=session)
    try:
        (listed,) = reader.search_for_studies(search_filters={"PatientID": study.patient.id})
        assert listed["0020000D"]["Value"] == [str(objects[0][0].StudyInstanceUID)]
        assert len(reader.search_for_instances(listed["0020000D"]["Value"][0])) == 13
        for ds, _ in objects:
            where = (str(ds.StudyInstanceUID), str(ds.SeriesInstanceUID), str(ds.SOPInstanceUID))
            back = reader.retrieve_instance(*where, media_types=(("application/dicom", "*"),))
            assert back == ds
            if ds.Modality == "ECG":
                assert np.array_equal(back.waveform_array(0), ds.waveform_array(0))
            if ds.SOPClassUID == uids.VLEndoscopicImageStorage:
                assert next(generate_frames(back.PixelData, number_of_frames=1))[:2] == b"\xff\xd8"
    finally:
        session.close()


def _session():
    import requests

    session = requests.Session()
    session.auth = ("relay", "secret words")
    return session


def test_an_archive_that_keeps_an_older_copy_is_found_out(world, sent, orthanc):
    study = sent(recordings=(recording("ecg", waveforms=(pulse(),)),))
    ((ds, syntax),) = every_object(subject(world.relay, study.id, "operator", "stow"))
    with connect(orthanc, user="relay", password="secret words") as client:
        assert [one.state for one in send(client, [(ds, syntax)])] == ["stored"]
        ds.WaveformSequence[0].WaveformData = bytes(len(ds.WaveformSequence[0].WaveformData))
        assert [one.state for one in send(client, [(ds, syntax)])] == ["different"]


def test_the_command_sends_tells_and_notes(world, sent, orthanc, tmp_path, programme, capsys):
    study = sent(recordings=(recording("ecg", waveforms=(pulse(),)), recording("ecg"), ear("left")))
    config, password = tmp_path / "relay.toml", tmp_path / "password"
    config.write_text(f'keys = "{programme / "keys"}"\narchive = "{world.settings.archive}"\n')
    password.write_text("secret words\n")
    words = ["export", "send", study.id, "--to", orthanc, "--user", "relay", "--config", str(config)]
    assert main([*words, "--password-file", str(password)]) == 0
    said = capsys.readouterr().out
    assert "4 of 4 objects are in the archive as they were sent." in said
    assert "left out (nothing_to_show)" in said
    assert "Seeded" not in said
    assert main(words) == 1
    assert "refuses this account" in capsys.readouterr().err
    assert main([*words, "--password-file", str(tmp_path / "none")]) == 1
    with world.relay.database.read() as connection:
        assert world.relay.audit.verify(connection) is None
        rows = connection.exec_driver_sql(
            "select what, detail from audit where subject = ?", (study.id,)
        ).all()
    assert ("case.export", "stow care pseudonym") in rows
    assert ("case.exported", "4 of 4 stored") in rows


class FakeArchive:
    """Answers as told: a status, a JSON body for storing, and what it gives back."""

    def __init__(self, status=200, body="{}", back=None, back_status=200, content_type=None):
        self.status, self.body, self.back, self.back_status = status, body, back, back_status
        self.content_type = content_type or 'multipart/related; type="application/dicom"; boundary=b'
        self.seen = b""

    def __call__(self, request):
        if request.method == "GET":
            data = self.seen if self.back is None else self.back
            body = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + data + b"\r\n--b--\r\n"
            return httpx.Response(self.back_status, content=body, headers={"content-type": self.content_type})
        assert int(request.headers["content-length"]) == len(request.read())
        self.seen = first_part(request.headers["content-type"], request.content)
        return httpx.Response(self.status, content=self.body)


FAILED = '{"00081198": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [%d]}}]}}'
ANSWERS = [
    (FakeArchive(), "stored", ""),
    (FakeArchive(202, FAILED % 0xA700), "refused", "out_of_resources"),
    (FakeArchive(409, FAILED % 5), "refused", "failure_5"),
    (FakeArchive(409, "{}"), "refused", "refused"),
    (FakeArchive(back_status=404), "lost", "status_404"),
    (FakeArchive(back=b"not DICOM"), "different", ""),
    (FakeArchive(content_type="text/html"), "different", ""),
]


@pytest.mark.parametrize(("fake", "state", "reason"), ANSWERS)
def test_only_what_comes_back_equal_is_stored(world, sent, fake, state, reason):
    study = sent(recordings=(recording("ecg", waveforms=(pulse(seconds=1),)),))
    objects = list(every_object(subject(world.relay, study.id, "operator", "stow")))
    with httpx.Client(transport=httpx.MockTransport(fake), base_url="https://pacs/dicom-web/") as client:
        (outcome,) = send(client, objects)
    assert (outcome.state, outcome.reason) == (state, reason)


def _gone(request):
    raise httpx.ConnectError("no route", request=request)


@pytest.mark.parametrize(
    ("fake", "words"),
    [
        (FakeArchive(401), "refuses this account"),
        (FakeArchive(500), "answered 500"),
        (FakeArchive(200, "<html>"), "no DICOM JSON"),
        (FakeArchive(200, "[]"), "no DICOM JSON"),
        (_gone, "cannot be reached"),
    ],
)
def test_an_archive_that_is_none_is_told_in_one_sentence(world, sent, fake, words):
    study = sent(recordings=(recording("ecg", waveforms=(pulse(seconds=1),)),))
    objects = every_object(subject(world.relay, study.id, "operator", "stow"))
    with (
        httpx.Client(transport=httpx.MockTransport(fake), base_url="https://pacs/") as client,
        pytest.raises(StowError, match=words),
    ):
        list(send(client, objects))


def test_patient_data_does_not_travel_in_clear_or_with_a_password_in_the_address():
    for url in ("ftp://pacs", "pacs.example", "https://relay:secret@pacs/", "http://pacs.example/dicom-web"):
        with pytest.raises(StowError) as told:
            connect(url)
        assert "secret" not in str(told.value)
    connect("http://pacs.example/dicom-web", allow_http=True).close()
    connect("http://[::1]:8042/dicom-web").close()


def test_files_are_the_same_by_content_not_by_their_heads(world, sent):
    study = sent(recordings=(ear("left", with_clip=False, data=jpeg()),))
    ds, syntax = next(iter(every_object(subject(world.relay, study.id, "operator", "stow"))))
    one = encoded(ds, syntax)
    assert same(b"another head".ljust(128) + one[128:], one)
    assert not same(one.replace(b"Research", b"research"), one)
