from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.bridge.alsa_cards import SoundFolders, pcm_name, sound_cards
from chevet.bridge.alsa_mixer import capture_words, coded, parse_contents
from chevet.bridge.alsa_report import has_overrun, has_slept, open_reason, parse_setup, was_unplugged
from chevet.bridge.errors import LinkUnavailable

BLOCK = """Its setup is:
  stream       : CAPTURE
  access       : RW_INTERLEAVED
  format       : {}
  subformat    : STD
  channels     : {}
  rate         : {}
  exact rate   : {} ({}/1)
  msbits       : 16
  buffer_size  : 22050
"""
HARDWARE = "Hardware PCM card 1 'USB PnP Sound Device' device 0 subdevice 0\n"
AT_48000 = "Recording raw data 'stdin' : Signed 16 bit Little Endian, Rate 48000 Hz, Mono\n" + HARDWARE
AT_48000 += BLOCK.format("S16_LE", 1, 48000, 48000, 48000)
CONVERTED = "Plug PCM: Rate conversion PCM (48000, sformat=S16_LE)\n"
CONVERTED += BLOCK.format("S16_LE", 1, 48000, 48000, 48000)
CONVERTED += "Slave: " + HARDWARE + BLOCK.format("S16_LE", 2, 44100, 44100, 44100)


def test_a_cards_setup_is_read_from_what_arecord_prints():
    setup = parse_setup(AT_48000)
    assert (setup.rate_hz, setup.sample_format, setup.channels) == (48000, "S16_LE", 1)
    assert (setup.hardware_rate_hz, setup.card, setup.card_name) == (48000, 1, "USB PnP Sound Device")


def test_a_conversion_of_alsa_is_seen():
    setup = parse_setup(CONVERTED)
    assert (setup.rate_hz, setup.channels, setup.hardware_rate_hz) == (48000, 1, 44100)


@pytest.mark.parametrize("text", ["", "Its setup is:\n  format : S16_LE\n", AT_48000[:150]])
def test_half_a_setup_is_none(text):
    assert parse_setup(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("arecord: main:831: audio open error: Device or resource busy", "busy"),
        ("arecord: main:831: audio open error: No such file or directory", "not_found"),
        ("ALSA lib confmisc.c:165:(snd_config_get_card) Cannot get card index for Foo", "not_found"),
        ("ALSA lib pcm.c:2666:(snd_pcm_open_noupdate) Unknown PCM nonesuch", "not_found"),
        ("arecord: main:831: audio open error: Permission denied", "no_permission"),
        ("arecord: set_params:1352: Channels count non available", "wrong_format"),
        (
            "arecord: set_params:1345: Sample format non available\nAvailable formats:\n- S16_LE",
            "wrong_format",
        ),
        ("arecord: set_params:1416: Unable to install hw params:", "wrong_format"),
        ("Segmentation fault", "failed"),
    ],
)
def test_why_a_card_cannot_be_opened_is_told_in_one_word(text, reason):
    assert open_reason(text) == reason


def test_why_a_recording_ended_is_told_apart():
    overrun = "arecord: xrun:1664: fatal overrun: Success"
    sleep = "Suspended. Trying resume. Done."
    gone = "arecord: pcm_read:2145: read error: No such device"
    assert (has_overrun(overrun), has_slept(overrun), was_unplugged(overrun)) == (True, False, False)
    assert (has_overrun(sleep), has_slept(sleep), was_unplugged(sleep)) == (False, True, False)
    assert (has_overrun(gone), has_slept(gone), was_unplugged(gone)) == (False, False, True)


USB_MICROPHONE = """numid=2,iface=CARD,name='Keep Interface'
  ; type=BOOLEAN,access=rw------,values=1
  : values=off
numid=3,iface=MIXER,name='Mic Playback Switch'
  ; type=BOOLEAN,access=rw------,values=1
  : values=off
numid=7,iface=MIXER,name='Mic Capture Switch'
  ; type=BOOLEAN,access=rw------,values=1
  : values=on
numid=8,iface=MIXER,name='Mic Capture Volume'
  ; type=INTEGER,access=rw---R--,values=1,min=0,max=35,step=0
  : values=20
  | dBminmax-min=-12.00dB,max=23.00dB
numid=9,iface=MIXER,name='Auto Gain Control'
  ; type=BOOLEAN,access=rw------,values=1
  : values=on
"""
SOUND_CHIP = """numid=1,iface=MIXER,name='ADC High Pass Filter Switch'
  ; type=BOOLEAN,access=rw------,values=1
  : values=on
numid=2,iface=MIXER,name='Mic Boost Volume'
  ; type=INTEGER,access=rw---R--,values=2,min=0,max=3,step=0
  : values=2,2
  | dBscale-min=0.00dB,step=10.00dB,mute=0
numid=3,iface=MIXER,name='ALC Function'
  ; type=ENUMERATED,access=rw------,values=1,items=2
  ; Item #0 'Off'
  ; Item #1 'Stereo'
  : values=0
numid=4,iface=MIXER,name='Capture Volume'
  ; type=INTEGER,access=rw------,values=2,min=0,max=63,step=0
  : values=40,41
numid=5,iface=MIXER,name='Input Source'
  ; type=ENUMERATED,access=rw------,values=1,items=1
  ; Item #0 'Line'
  : values=7
"""


def test_a_usb_microphones_gain_is_read_in_decibels():
    assert capture_words(parse_contents(USB_MICROPHONE)) == (
        ("agc", "on"),
        ("mic_capture_switch", "on"),
        ("mic_capture_volume", "8dB"),
        ("auto_gain_control", "on"),
    )


def test_a_sound_chips_filter_boost_and_automatic_gain_are_read():
    assert capture_words(parse_contents(SOUND_CHIP)) == (
        ("agc", "off"),
        ("adc_high_pass_filter_switch", "on"),
        ("mic_boost_volume", "20dB"),
        ("alc_function", "Off"),
        ("capture_volume", "40"),
        ("input_source", "7"),
    )


def test_words_are_safe_between_semicolons():
    assert coded("Mic (USB); Gain=3") == "mic_usb_gain_3"
    assert coded("-12.5dB;x=\u00e9", keep="-.") == "-12.5dB_x"


@settings(max_examples=50)
@given(
    st.lists(
        st.sampled_from([*USB_MICROPHONE.splitlines(), *SOUND_CHIP.splitlines(), "  : values="]) | st.text()
    )
)
def test_any_mixer_text_gives_words_and_never_raises(lines):
    for name, value in capture_words(parse_contents("\n".join(lines))):
        assert not set(";=") & set(name + value)


@settings(max_examples=50)
@given(st.text(), st.integers(0, len(CONVERTED)))
def test_any_report_is_a_setup_or_none(noise, cut):
    setup = parse_setup(CONVERTED[:cut] + noise)
    assert setup is None or setup.rate_hz >= 0


CARDS = """ 0 [Headphones     ]: bcm2835_headpho - bcm2835 Headphones
                      bcm2835 Headphones
 1 [Device         ]: USB-Audio - USB PnP Sound Device
                      C-Media Electronics Inc. USB PnP Sound Device at usb-1.3
 2 [Device_1       ]: USB-Audio - USB PnP Sound Device
                      C-Media Electronics Inc. USB PnP Sound Device at usb-1.4
"""
PCMS = """00-00: bcm2835 Headphones : bcm2835 Headphones : playback 8
01-00: USB Audio : USB Audio : playback 1 : capture 1
02-00: USB Audio : USB Audio : playback 1
02-01: USB Audio #1 : USB Audio #1 : capture 1
"""


@pytest.fixture
def machine(tmp_path: Path) -> SoundFolders:
    folders = SoundFolders(tmp_path / "proc", tmp_path / "sys", tmp_path / "by-id")
    for folder in (folders.proc, folders.by_id, tmp_path / "snd"):
        folder.mkdir()
    (folders.proc / "cards").write_text(CARDS)
    (folders.proc / "pcm").write_text(PCMS)
    for number, serial in ((1, "A1"), (2, "B2")):
        (folders.proc / f"card{number}").mkdir()
        (folders.proc / f"card{number}" / "usbid").write_text("0d8c:0014\n")
        (folders.sys / f"card{number}" / "device").mkdir(parents=True)
        (folders.sys / f"card{number}" / "serial").write_text(f"{serial}\n")
        (tmp_path / "snd" / f"controlC{number}").touch()
    (folders.by_id / "usb-C-Media-00").symlink_to(tmp_path / "snd" / "controlC1")
    (folders.by_id / "other").symlink_to(tmp_path / "snd" / "seq")
    return folders


def test_cards_that_can_record_are_listed_with_names_that_stay(machine):
    first, second = sound_cards(machine)
    assert (first.number, first.id, first.name, first.driver) == (
        1,
        "Device",
        "USB PnP Sound Device",
        "USB-Audio",
    )
    assert (first.usb, first.serial, first.stable, first.devices) == (
        "0d8c:0014",
        "A1",
        "usb-C-Media-00",
        (0,),
    )
    assert first.link == "alsa:/dev/snd/by-id/usb-C-Media-00"
    assert (second.id, second.devices, second.link) == ("Device_1", (1,), "alsa:Device_1")


def test_a_machine_without_sound_has_no_cards(tmp_path):
    assert sound_cards(SoundFolders(tmp_path / "a", tmp_path / "b", tmp_path / "c")) == ()


def test_a_card_is_found_by_each_of_its_names(machine):
    def name(target):
        return pcm_name("alsa:x", target, machine)

    assert name("usb:0d8c:0014:A1") == name("Device") == "hw:CARD=Device,DEV=0"
    assert name("usb:0D8C:0014:b2") == name("Device_1") == "hw:CARD=Device_1,DEV=1"
    assert name(str(machine.by_id / "usb-C-Media-00")) == "hw:CARD=Device,DEV=0"
    assert name("plughw:1,0") == "plughw:1,0"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("usb:0d8c:0014", "wrong_device"),
        ("usb:1234:5678", "not_found"),
        ("usb:microphone", "bad_url"),
        ("/dev/snd/by-id/none", "not_found"),
    ],
)
def test_a_name_that_fits_none_or_two_is_refused(machine, target, reason):
    with pytest.raises(LinkUnavailable) as refused:
        pcm_name("alsa:x", target, machine)
    assert refused.value.reason == reason
