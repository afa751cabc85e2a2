"""What is on the buses: serial ports, cameras, advertisements; listed without opening anything."""

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import BleakDBusError
from waiting import until

from chevet.bridge import finding_serial
from chevet.bridge.errors import LinkUnavailable
from chevet.bridge.finding_air import Air, Heard, overhear
from chevet.bridge.finding_cameras import cameras, ribbon_cameras
from chevet.bridge.finding_serial import SerialPort, serial_ports
from chevet.bridge.pi_camera import pi_cameras

ADDRESS = "C0:FF:EE:00:00:31"


def listed(device, vid, pid, serial, location):
    """Return a port as pyserial lists it."""
    return SimpleNamespace(
        device=device,
        vid=vid,
        pid=pid,
        serial_number=serial,
        manufacturer=None,
        product="USB Serial",
        location=location,
    )


@pytest.fixture
def usb(monkeypatch):
    """Two USB adapters, and a port that is soldered to the board."""
    found = [
        listed("/dev/ttyUSB1", 0x0403, 0x6001, "A50285BI", "1-1.2"),
        listed("/dev/ttyS0", None, None, None, None),
        listed("/dev/ttyUSB0", 0x1A86, 0x7523, None, "1-1.1"),
    ]
    monkeypatch.setattr(finding_serial, "comports", lambda: found)


def test_usb_ports_are_listed_with_what_stays_the_same_of_them(usb, tmp_path):
    (tmp_path / "usb-FTDI_FT232R_A50285BI-if00-port0").symlink_to("/dev/ttyUSB1")
    first, second = serial_ports(by_id=tmp_path)
    assert (first.path, first.usb, first.identity) == ("/dev/ttyUSB0", "1a86:7523", "usb:1a86:7523@1-1.1")
    assert first.stable == "/dev/ttyUSB0"
    assert second.identity == "usb:0403:6001:A50285BI"
    assert second.stable.endswith("usb-FTDI_FT232R_A50285BI-if00-port0")
    assert not second.virtual


def test_other_ports_and_benches_are_listed_only_where_they_are_named(usb, tmp_path):
    master, slave = os.openpty()
    bench = tmp_path / "bench"
    bench.mkdir()
    (bench / "ecg").symlink_to(os.ttyname(slave))
    (bench / "notes.txt").write_text("not a port")
    (bench / "same").symlink_to(os.ttyname(slave))
    found = serial_ports((bench, tmp_path / "missing", Path("/dev/null")), by_id=tmp_path)
    os.close(master)
    os.close(slave)
    named = [port for port in found if not port.usb]
    assert [Path(port.path).name for port in named] == ["null", "ecg"]
    assert [port.virtual for port in named] == [False, True]
    assert named[1].identity == f"port:{bench / 'ecg'}"


def test_a_port_without_usb_has_no_ids():
    assert SerialPort("/dev/ttyAMA0").usb == ""


@pytest.fixture
def video(tmp_path):
    """Nodes as udev links them: an otoscope, two equal webcams, a Pi's codec."""
    by_id, by_path, nodes = (tmp_path / name for name in ("by-id", "by-path", "nodes"))
    for folder in (by_id, by_path, nodes):
        folder.mkdir()
    names = ("Firefly DE550", "Firefly DE550", "Cam", "Cam", "Cam", "Cam", "bcm2835-codec")
    for number, name in enumerate(names):
        (nodes / f"video{number}").mkdir()
        (nodes / f"video{number}" / "name").write_text(f"{name}\n")
    for link, number in (
        (by_id / "usb-Firefly_DE550_77-video-index0", 0),
        (by_id / "usb-Firefly_DE550_77-video-index1", 1),
        (by_id / "usb-Cam-video-index0", 2),
        (by_path / "pci-0000:00:14.0-usb-0:1:1.0-video-index0", 0),
        (by_path / "pci-0000:00:14.0-usb-0:2:1.0-video-index0", 2),
        (by_path / "pci-0000:00:14.0-usb-0:3:1.0-video-index0", 4),
        (by_path / "pci-0000:00:14.0-usb-0:3:1.0-video-index1", 5),
        (by_path / "platform-bcm2835-codec-video-index0", 6),
    ):
        link.symlink_to(f"/dev/video{number}")
    return by_id, by_path, nodes


def no_ribbon():
    return ()


def test_each_camera_is_listed_once_by_its_stable_name_and_metadata_and_codecs_are_not(video):
    found = cameras(*video, no_ribbon)
    assert [(camera.place, camera.name) for camera in found] == [
        ("video2", "Cam"),
        ("video0", "Firefly DE550"),
        ("video4", "Cam"),
    ]
    assert found[1].link == f"v4l2:{video[0] / 'usb-Firefly_DE550_77-video-index0'}"
    assert found[2].identity == "camera:pci-0000:00:14.0-usb-0:3:1.0-video-index0", (
        "of two equal ones by place"
    )


def test_without_cameras_nothing_is_listed(tmp_path):
    assert cameras(tmp_path / "no", tmp_path / "none", tmp_path / "nothing", no_ribbon) == []
    assert ribbon_cameras() == (), "no Pi's software here"
    assert cameras(tmp_path / "no", tmp_path / "none") == []


def test_the_pis_own_camera_is_listed_and_its_usb_cameras_are_not_listed_twice(tmp_path):
    class FakePiCamera2:
        @staticmethod
        def global_camera_info():
            return [
                {"Model": "imx708", "Id": "/base/soc/i2c0mux/i2c@1/imx708@1a", "Num": 0},
                {"Model": "USB camera", "Id": "/base/scb/pcie@7d500000/usb@0,0-1:1.0", "Num": 1},
            ]

    (camera,) = cameras(tmp_path, tmp_path, tmp_path, lambda: pi_cameras(FakePiCamera2))
    assert (camera.link, camera.name, camera.identity) == ("picamera:0", "imx708", "camera:ribbon-0")


def test_a_camera_that_went_away_while_it_was_listed_has_no_name(video):
    by_id, by_path, nodes = video
    (nodes / "video2" / "name").unlink()
    assert {camera.name for camera in cameras(by_id, by_path, nodes, no_ribbon)} == {
        "",
        "Cam",
        "Firefly DE550",
    }


class FakeScanner(BaseBleakScanner):
    """Advertises one device each time it is started; refuses a second scan, as BlueZ does."""

    started = 0
    running = 0
    fails: Exception | None = None

    def __init__(self, detection_callback, service_uuids, scanning_mode, *, bluez, cb, **_others):
        super().__init__(detection_callback, service_uuids)

    async def start(self):
        if type(self).fails is not None:
            raise type(self).fails
        assert type(self).running == 0, "a second scan of the same program: InProgress"
        type(self).running += 1
        type(self).started += 1
        asyncio.get_running_loop().call_soon(self._advertise)

    def _advertise(self):
        seen = AdvertisementData("Cuff", {}, {}, ["00001810-0000-1000-8000-00805F9B34FB"], None, -61, ())
        device = self.create_or_update_device(ADDRESS, ADDRESS.lower(), "Cuff", None, seen)
        self.call_detection_callbacks(device, seen)

    async def stop(self):
        type(self).running -= 1


@pytest.fixture
def scanner():
    return type("OwnScanner", (FakeScanner,), {"started": 0, "running": 0})


async def test_all_who_look_share_one_scan(scanner):
    heard: list[Heard] = []
    looking = [
        asyncio.create_task(overhear(heard.append, 0.2, scanner)),
        asyncio.create_task(Air.of(scanner).find(ADDRESS, 5.0)),
        asyncio.create_task(Air.of(scanner).find("C0:FF:EE:00:00:99", 0.1)),
    ]
    _, device, nobody = await asyncio.gather(*looking)
    assert scanner.started == 1
    assert scanner.running == 0
    assert device.address == ADDRESS.lower()
    assert nobody is None
    assert heard == [Heard(ADDRESS, "Cuff", ("00001810-0000-1000-8000-00805f9b34fb",), -61)]
    await overhear(heard.append, 0.01, scanner)
    assert scanner.started == 2


async def test_who_gives_up_looking_leaves_no_scan_behind(scanner):
    looking = asyncio.create_task(Air.of(scanner).find("C0:FF:EE:00:00:99", 60.0))
    await until(lambda: scanner.running == 1)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    assert scanner.running == 0


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (FileNotFoundError(2, "no system bus"), "no_adapter"),
        (BleakDBusError("org.bluez.Error.NotReady", []), "no_adapter"),
        (BleakDBusError("org.bluez.Error.InProgress", []), "busy"),
    ],
)
async def test_a_radio_that_cannot_scan_says_why(scanner, error, reason):
    scanner.fails = error
    with pytest.raises(LinkUnavailable) as told:
        await overhear(lambda _: None, 0.1, scanner)
    assert told.value.reason == reason
    scanner.fails = None
    heard: list[Heard] = []
    await overhear(heard.append, 0.05, scanner)
    assert len(heard) == 1, "it scans again as soon as it can"
