import asyncio
import itertools
import os
from pathlib import Path

import pytest
from waiting import until

from chevet.bridge.alsa_cards import SoundFolders
from chevet.bridge.alsa_link import AlsaLink
from chevet.bridge.errors import LinkError, LinkLost, LinkUnavailable
from chevet.bridge.link import open_link

SETUP = """cat >&2 <<END
Hardware PCM card 1 'USB PnP Sound Device' device 0 subdevice 0
Its setup is:
  format       : {format}
  channels     : {channels}
  rate         : {rate}
END
"""
PLAIN = SETUP.format(format="S16_LE", channels=1, rate=48000)
OVERRUN = "echo 'arecord: xrun:1664: fatal overrun: Success' >&2; exit 1\n"
AGC = """numid=9,iface=MIXER,name='Auto Gain Control'
  ; type=BOOLEAN,access=rw------,values=1
  : values=on
"""


@pytest.fixture
def pretend(tmp_path, monkeypatch):
    """Put stand-ins for arecord (one script a run, the last one again and again) and amixer on the path."""

    def put(*runs: str, mixer: str = "") -> None:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        for number, run in enumerate(runs):
            (folder / f"run{number}").write_text(run)
        choose = f"n=$(cat {folder}/n 2>/dev/null || echo 0); echo $((n+1)) > {folder}/n\n"
        choose += f"[ $n -gt {len(runs) - 1} ] && n={len(runs) - 1}\n"
        choose += f'echo "$@" > {folder}/asked\n. {folder}/run$n\n'
        _program(folder / "arecord", choose)
        _program(folder / "amixer", f"cat <<'END'\n{mixer}END\n")
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    return put


def _program(path: Path, text: str) -> None:
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)


async def receive_until_lost(link, packets):
    while True:
        packets.append(await link.receive())


def is_running(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


async def all_of(link):
    packets = []
    with pytest.raises(LinkLost) as lost:
        await receive_until_lost(link, packets)
    await link.aclose()
    return [(packet.source, packet.data) for packet in packets], lost.value.reason


def sound_of(packets):
    """Join the sound between gaps."""
    return [
        b"".join(data for _, data in group) if source == "pcm" else source
        for source, group in itertools.groupby(packets, key=lambda packet: packet[0])
    ]


async def test_sound_comes_after_the_cards_description(pretend, tmp_path, caplog):
    pretend(PLAIN + "printf abcdef; sleep 0.1; printf gh; echo 'read error: No such device' >&2", mixer=AGC)
    link = open_link("alsa:plughw:1,0?channel=1")
    async with asyncio.timeout(60):
        packets, reason = await all_of(link)
    told = b"rate=48000;format=S16_LE;channels=1;channel=1;model=USB_PnP_Sound_Device;"
    assert packets[0] == ("setup", told + b"agc=on;auto_gain_control=on")
    assert sound_of(packets[1:]) == [b"abcdefgh"]
    assert reason == "unplugged"
    assert "automatic gain" in caplog.text
    asked = (tmp_path / "bin" / "asked").read_text()
    assert "-D plughw:1,0 -t raw -f S16_LE -r 48000 -c 1" in asked
    assert "--fatal-errors" in asked


async def test_an_overrun_is_a_marked_gap_and_recording_begins_again(pretend):
    pretend(PLAIN + "printf 1111\n" + OVERRUN, PLAIN + "printf 2222\n")
    link = open_link("alsa:default")
    async with asyncio.timeout(60):
        packets, reason = await all_of(link)
    assert sound_of(packets[1:]) == [b"1111", "gap", b"2222"]
    assert (reason, link.gaps) == ("ended", 1)


async def test_sound_after_a_sleep_is_not_joined_to_what_came_before(pretend, tmp_path):
    heard = tmp_path / "heard"
    slept = f"while [ ! -e {heard} ]; do sleep 0.02; done\n"
    slept += "echo 'Suspended. Trying resume. Done.' >&2; printf 9999; sleep 5\n"
    pretend(PLAIN + "printf 1111\n" + slept, PLAIN + "printf 2222\n")
    link = open_link("alsa:default")
    async with asyncio.timeout(60):
        before = [(await link.receive()).data for _ in range(2)]
        heard.touch()
        packets, _ = await all_of(link)
    assert before[1] == b"1111"
    assert sound_of(packets) == ["gap", b"2222"]


async def test_a_card_that_only_overruns_is_given_up(pretend):
    pretend(PLAIN + "printf 1111\n" + OVERRUN)
    async with asyncio.timeout(60):
        packets, reason = await all_of(open_link("alsa:default"))
    assert reason == "failed"
    assert sound_of(packets[1:]) == [b"1111", *["gap", b"1111"] * 5]


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        ("echo 'audio open error: No such device' >&2; exit 1", "unplugged"),
        ("echo 'audio open error: Device or resource busy' >&2; exit 1", "failed"),
    ],
)
async def test_a_card_that_is_gone_after_an_overrun_is_lost(pretend, second, reason):
    pretend(PLAIN + "printf 1111\n" + OVERRUN, second)
    async with asyncio.timeout(60):
        packets, why = await all_of(open_link("alsa:default"))
    assert sound_of(packets[1:]) == [b"1111", "gap"]
    assert why == reason


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        ("echo 'audio open error: Device or resource busy' >&2; exit 1", "busy"),
        ("echo 'set_params:1352: Channels count non available' >&2; exit 1", "wrong_format"),
        (SETUP.format(format="S16_LE", channels=1, rate=44100) + "printf 11; sleep 5", "wrong_format"),
        ("exit 1", "failed"),
    ],
)
async def test_a_card_that_cannot_be_had_says_why(pretend, run, reason):
    pretend(run)
    with pytest.raises(LinkUnavailable) as refused:
        await open_link("alsa:default").open()
    assert refused.value.reason == reason


async def test_a_card_that_starts_without_a_sound_is_not_waited_for_for_ever(pretend, monkeypatch):
    monkeypatch.setattr("chevet.bridge.alsa_recorder.OPEN_TIMEOUT_S", 0.2)
    monkeypatch.setattr("chevet.bridge.alsa_recorder.KILL_AFTER_S", 0.2)
    pretend("trap '' TERM\nsleep 3")
    with pytest.raises(LinkUnavailable) as refused:
        await open_link("alsa:default").open()
    assert refused.value.reason == "failed"


async def test_without_alsas_programs_the_remedy_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LinkUnavailable) as refused:
        await open_link("alsa:default").open()
    assert refused.value.reason == "no_library"
    assert "alsa-utils" in str(refused.value)


async def test_a_card_that_falls_silent_is_lost(pretend, monkeypatch):
    monkeypatch.setattr("chevet.bridge.alsa_link.SILENT_S", 0.2)
    pretend(PLAIN + "printf 1111; sleep 30")
    async with asyncio.timeout(60):
        packets, reason = await all_of(open_link("alsa:default"))
    assert sound_of(packets[1:]) == [b"1111"]
    assert reason == "ended"


async def test_sound_faster_than_time_comes_from_no_card(pretend):
    pretend(PLAIN + "cat /dev/zero")
    async with asyncio.timeout(60):
        packets, reason = await all_of(open_link("alsa:default"))
    assert reason == "wrong_device"
    assert sum(len(data) for _, data in packets) < 96000 * 20


async def test_sound_that_nobody_takes_is_left_in_the_pipe_and_not_dropped(pretend):
    pretend(PLAIN + 'for i in 0 1 2 3 4 5 6 7 8 9; do printf "$i$i$i$i"; sleep 0.05; done')
    link = AlsaLink("alsa:default", lambda: 0.0)
    link._capacity = 4
    async with asyncio.timeout(60):
        await link.open()
        await asyncio.sleep(0.8)
        packets, _ = await all_of(link)
    assert b"".join(sound_of(packets[1:])) == b"".join(b"%d" % n * 4 for n in range(10))
    assert link.dropped == 0


async def test_a_sound_card_is_only_read(pretend):
    link = open_link("alsa:default")
    await link.send(b"")
    with pytest.raises(LinkError) as refused:
        await link.send(b"louder")
    assert refused.value.reason == "not_writable"
    await link.aclose()


async def test_closing_during_a_restart_leaves_no_child(pretend):
    pretend(PLAIN + "printf 1111\n" + OVERRUN, "sleep 30")
    link = open_link("alsa:default")
    async with asyncio.timeout(60):
        while (await link.receive()).source != "gap":
            pass
        await asyncio.sleep(0.05)
        await link.aclose()
    assert link._recorder is None


async def test_an_opening_that_is_given_up_leaves_no_child(pretend, tmp_path):
    own = tmp_path / "process"
    pretend(f"trap 'kill $!; exit' TERM; echo $$ > {own}.new; mv {own}.new {own}; sleep 30 & wait")
    link = open_link("alsa:default")
    opening = asyncio.create_task(link.open())
    await until(own.exists)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await link.aclose()
    assert link._stopping.is_set()
    await until(lambda: not is_running(int(own.read_text())))


async def test_a_card_on_usb_tells_its_number_and_serial(pretend, tmp_path):
    folders = SoundFolders(tmp_path / "proc", tmp_path / "sys", tmp_path / "by-id")
    (tmp_path / "proc" / "card1").mkdir(parents=True)
    (tmp_path / "proc" / "cards").write_text(" 1 [Device         ]: USB-Audio - USB PnP Sound Device\n")
    (tmp_path / "proc" / "pcm").write_text("01-00: USB Audio : USB Audio : playback 1 : capture 1\n")
    (tmp_path / "proc" / "card1" / "usbid").write_text("0d8c:0014\n")
    pretend(PLAIN + SETUP.format(format="S16_LE", channels=2, rate=44100) + "printf 11")
    link = AlsaLink("alsa:Device", lambda: 0.0, folders)
    async with asyncio.timeout(60):
        packets, _ = await all_of(link)
    assert b"converted_from=44100;usb=0d8c:0014" in packets[0][1]


@pytest.mark.parametrize(
    "options",
    ["rate=1", "rate=x", "rate=44100.5", "bits=12", "channels=0", "channel=2", "channels=99", "gain=3"],
)
def test_a_misspelt_sound_link_is_refused(options):
    with pytest.raises(LinkUnavailable) as refused:
        open_link(f"alsa:default?{options}")
    assert refused.value.reason == "bad_url"
