import subprocess
import sys

import pytest

from chevet.bridge.errors import LinkUnavailable
from chevet.bridge.link import open_link


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "unknown_scheme"),
        ("usb:1", "unknown_scheme"),
        ("/dev/ttyUSB0", "unknown_scheme"),
        ("serial:", "bad_url"),
        ("serial:/dev/x?speed=9600", "bad_url"),
        ("serial:/dev/x?baud=fast", "bad_url"),
        ("serial:/dev/x?baud=-1", "bad_url"),
        ("serial:/dev/x?baud=0", "bad_url"),
        ("serial:/dev/x?baud=nan", "bad_url"),
        ("serial:/dev/x?parity=X", "bad_url"),
        ("serial:/dev/x?parity=NE", "bad_url"),
        ("serial:/dev/x?parity=", "bad_url"),
        ("serial:/dev/x?baud", "bad_url"),
        ("serial:socket://127.0.0.1:1", "bad_url"),
        ("socket:127.0.0.1:1?baud=9600", "bad_url"),
        ("socket:nowhere", "bad_url"),
        ("socket:host:http", "bad_url"),
        ("ble:C0:FF:EE:00:00:01?notify=xyz", "bad_url"),
        ("ble:C0:FF:EE:00:00:01?speed=1", "bad_url"),
        ("mjpeg:file:///etc/passwd", "bad_url"),
        ("mjpeg:", "bad_url"),
        ("v4l2:/dev/video0?size=big", "bad_url"),
        ("v4l2:/dev/video0?width=wide", "bad_url"),
        ("picamera:front", "bad_url"),
        ("tape:", "bad_url"),
        ("tape:/x?speed=-1", "bad_url"),
    ],
)
def test_a_misspelt_url_is_refused_before_anything_is_opened(url, reason):
    with pytest.raises(LinkUnavailable) as refused:
        open_link(url)
    assert refused.value.reason == reason
    assert refused.value.url == url


def test_each_scheme_imports_its_library_only_when_it_is_used():
    code = (
        "import sys; from chevet.bridge.link import open_link; open_link('serial:/dev/x');"
        "print(*sorted({'serial', 'bleak', 'cv2', 'picamera2'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["serial"]
