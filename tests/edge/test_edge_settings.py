"""Configuration: what is wrong is named with its remedy, secrets come from files."""

import json
from pathlib import Path

import pytest

from chevet.edge.errors import SettingsError
from chevet.edge.settings import all_devices, load_bluetooth, load_settings, read_secret

MINIMAL = 'data_dir = "box"\nprogramme = "p.json"\n'


def config(folder: Path, text: str) -> Path:
    path = folder / "edge.toml"
    path.write_text(text)
    return path


def test_a_minimal_file_gets_sensible_defaults_and_paths_from_its_own_folder(tmp_path: Path) -> None:
    settings = load_settings(config(tmp_path, MINIMAL))
    assert settings.data_dir == tmp_path / "box"
    assert settings.programme == tmp_path / "p.json"
    assert (settings.kiosk.host, settings.kiosk.port) == ("127.0.0.1", 8421)
    assert settings.label == ""
    assert "dermatology" in settings.specialties


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (MINIMAL + "colour = 1\n", "the key 'colour' is not a setting"),
        (MINIMAL + "[kiosk]\nprot = 1\n", "the key 'kiosk.prot' is not a setting"),
        (MINIMAL + "[kiosk]\nport = 70000\n", "the setting 'kiosk.port' is wrong"),
        ('data_dir = "box"\n', "the setting 'programme' is missing"),
        (MINIMAL + 'specialties = ["astrology"]\n', "the setting 'specialties' is wrong"),
        (MINIMAL + "specialties = []\n", "the setting 'specialties' is wrong"),
        (MINIMAL + 'specialties = ["general", "general"]\n', "a specialty is named twice"),
        (MINIMAL + 'electrodes = "blue"\n', "the setting 'electrodes' is wrong"),
        (MINIMAL + 'label = "DEMO"\n', "the setting 'label' is wrong"),
        ("data_dir = \n", "is not TOML"),
        (
            MINIMAL + '[[devices]]\nid = "../x"\ndriver = "d"\nlink = "l"\n',
            "the setting 'devices.0.id' is wrong",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(config(tmp_path, text))
    assert sentence in error.value.sentence
    assert error.value.sentence.endswith(".")


def test_a_missing_file_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="chevet-edge init"):
        load_settings(tmp_path / "none.toml")
    with pytest.raises(SettingsError, match="chevet-edge init"):
        load_settings(None, (tmp_path / "a", tmp_path / "b"))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path)


def test_the_environment_overrides_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHEVET_EDGE_KIOSK__PORT", "9000")
    monkeypatch.setenv("CHEVET_EDGE_LABEL", "HTEST")
    settings = load_settings(config(tmp_path, MINIMAL + '[kiosk]\nhost = "0.0.0.0"\nport = 1\n'))
    assert (settings.kiosk.host, settings.kiosk.port, settings.label) == ("0.0.0.0", 9000, "HTEST")


def test_an_unknown_variable_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHEVET_EDGE_COLOUR", "red")
    with pytest.raises(SettingsError, match="CHEVET_EDGE_COLOUR is not a setting"):
        load_settings(config(tmp_path, MINIMAL))


def test_the_broker_password_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2\n")
    settings = load_settings(config(tmp_path, MINIMAL + '[broker]\npassword_file = "secret"\n'))
    assert settings.broker.password() == "hunter2"
    assert load_settings(config(tmp_path, MINIMAL)).broker.password() == ""


def test_an_empty_or_missing_secret_is_named_by_its_setting(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(SettingsError, match=r"broker\.password_file: .* is empty"):
        read_secret(tmp_path / "empty", "broker.password_file")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_secret(tmp_path / "none", "broker.password_file")


def test_devices_of_the_simulator_are_added_and_marked_simulated(tmp_path: Path) -> None:
    rows = [
        {"id": "ox", "driver": "nonin-df2", "link": "serial:/x", "url": "serial:/x", "instrument": "oximeter"}
    ]
    (tmp_path / "devices.json").write_text(json.dumps(rows))
    text = (
        MINIMAL
        + 'devices_file = "devices.json"\n[[devices]]\nid = "ecg"\ndriver = "kit-ecg"\nlink = "serial:/y"\n'
    )
    devices = all_devices(load_settings(config(tmp_path, text)))
    assert [(device.id, device.simulated) for device in devices] == [("ecg", False), ("ox", True)]


@pytest.mark.parametrize("words", ["{}", "[1]", "nonsense", '[{"id": "x"}]'])
def test_a_wrong_devices_file_is_one_sentence(tmp_path: Path, words: str) -> None:
    (tmp_path / "devices.json").write_text(words)
    settings = load_settings(config(tmp_path, MINIMAL + 'devices_file = "devices.json"\n'))
    with pytest.raises(SettingsError, match="chevet-sim serve"):
        all_devices(settings)


def test_a_missing_devices_file_and_a_double_id_are_refused(tmp_path: Path) -> None:
    one = '[[devices]]\nid = "ecg"\ndriver = "kit-ecg"\nlink = "serial:/y"\n'
    with pytest.raises(SettingsError, match="used twice"):
        all_devices(load_settings(config(tmp_path, MINIMAL + one + one)))
    with pytest.raises(SettingsError, match="cannot be read"):
        all_devices(load_settings(config(tmp_path, MINIMAL + 'devices_file = "none.json"\n')))


def test_a_bluetooth_backend_is_loaded_by_name_and_called_with_its_spec(tmp_path: Path) -> None:
    assert load_bluetooth(load_settings(config(tmp_path, MINIMAL))) is None
    named = 'bluetooth_backend = "pathlib:PurePosixPath"\nbluetooth_spec = "unix:/x"\n'
    assert str(load_bluetooth(load_settings(config(tmp_path, MINIMAL + named)))) == "unix:/x"
    bare = 'bluetooth_backend = "pathlib:PurePosixPath"\n'
    assert str(load_bluetooth(load_settings(config(tmp_path, MINIMAL + bare)))) == "."
    for wrong in ("pathlib:Nothing", "no.such.module:f", ":"):
        with pytest.raises(SettingsError, match="module:function"):
            load_bluetooth(load_settings(config(tmp_path, MINIMAL + f'bluetooth_backend = "{wrong}"\n')))
