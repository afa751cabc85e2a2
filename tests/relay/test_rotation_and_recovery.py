"""A changed key loses nothing, a lost key is made good by the recovery key, and wrong keys are told so."""

import shutil

import pytest

from chevet.exchange.keys import new_sealing_key, private_pem, public_text, sealing_key
from chevet.exchange.sealing import Recipient
from chevet.relay import cli
from chevet.relay.errors import SettingsError
from chevet.relay.keys import read_programme
from chevet.relay.rotation import recover, rotate
from chevet.study.bundle import content_hash, pack, unpack

from .conftest import deliver, messages


@pytest.fixture
def own(world, tmp_path):
    """The programme of this test alone, its recovery key among the recipients."""
    folder = tmp_path / "programme"
    shutil.copytree(world.settings.keys.parent, folder)
    recovery = sealing_key((folder / "keys" / "recovery.key").read_bytes())
    world.site.recipients.append(Recipient("recovery", recovery.public_key()))
    return folder


def test_what_was_sealed_before_and_after_a_rotation_is_read(world, own, make_study):
    first, second = make_study(), make_study()
    deliver(world.receiver(), messages(world.site.seal(pack(first))))
    old = read_programme(own / "keys")
    late = world.site.seal(pack(second))  # on its way while the key changes
    fresh = rotate(own / "keys", own / "programme.json")
    held = read_programme(own / "keys")
    assert public_text(held.programme.public_key()) == public_text(fresh.public_key())
    assert public_text(fresh.public_key()) in (own / "programme.json").read_text()
    assert [one.private_bytes_raw() for one in held.older] == [old.programme.private_bytes_raw()]
    assert held.recipients["programme"] == public_text(fresh.public_key())
    relay = world.again(keys=own / "keys")
    deliver(world.receiver(relay), messages(late))
    world.site.recipients[0] = Recipient("programme", fresh.public_key())
    third = make_study()
    deliver(world.receiver(relay), messages(world.site.seal(pack(third))))
    for study in (first, second, third):
        manifest, names = stored(relay, study.id)
        assert unpack(relay.vault.bundle(manifest, names)).question == study.question
    for path in (own / "keys").glob("programme*.key"):
        assert path.stat().st_mode & 0o777 == 0o600


def stored(relay, ident):
    from sqlalchemy import select

    from chevet.relay.archive.schema import bundles, objects

    with relay.database.read() as connection:
        row = connection.execute(select(bundles).where(bundles.c.id == ident)).one()
        assert row.complete_ms is not None
        found = connection.execute(select(objects).where(objects.c.tid == row.tid)).all()
    return row.manifest, {item.oid: item.name for item in found}


def test_a_rotation_that_was_stopped_is_given_again(own):
    (own / "programme.json").rename(own / "aside.json")
    with pytest.raises(SettingsError, match="and run again"):
        rotate(own / "keys", own / "programme.json")
    (own / "aside.json").rename(own / "programme.json")
    fresh = rotate(own / "keys", own / "programme.json")
    assert len(read_programme(own / "keys").older) == 2
    assert public_text(fresh.public_key()) in (own / "programme.json").read_text()


def test_the_recovery_key_alone_opens_what_the_box_sent(world, own, make_study, tmp_path, capsys):
    study = make_study()
    bundle = pack(study)
    deliver(world.receiver(), messages(world.site.seal(bundle)))
    shutil.move(own / "keys" / "recovery.key", tmp_path / "recovery.key")
    config = own / "relay.toml"
    config.write_text(f'archive = "{world.settings.archive}"\nkeys = "lost"\n')
    found, exact = recover_from(config, tmp_path / "recovery.key", study.id)
    assert exact
    assert content_hash(found) == content_hash(bundle)
    assert unpack(found).question == study.question
    words = ["recover", study.id, "--recovery-key", str(tmp_path / "recovery.key")]
    words += ["--out", str(tmp_path / "out"), "--config", str(config)]
    assert cli.main(words) == 0
    told = capsys.readouterr().out
    assert "the one the box sent" in told
    assert study.question not in told
    files = sorted((tmp_path / "out").iterdir())
    assert [path.read_bytes() for path in files] == [part.data for part in found.parts]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert cli.main(words) == 1
    assert "not there yet" in capsys.readouterr().err


def recover_from(config, key, ident):
    from chevet.relay.settings import read_settings

    return recover(read_settings(config), key, ident)


def test_a_wrong_key_and_an_unknown_id_are_told(world, own, sent, tmp_path):
    study = sent()
    for name, data, sentence in (
        ("other.key", private_pem(new_sealing_key()), "bring the recovery key"),
        ("no.key", b"nothing", "cannot be used"),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        path.chmod(0o600)
        with pytest.raises(SettingsError, match=sentence):
            recover(world.settings, path, study.id)
    with pytest.raises(SettingsError, match="nothing whole"):
        recover(world.settings, own / "keys" / "recovery.key", "none")


def test_the_command_rotates(own, capsys):
    (own / "relay.toml").write_text("")
    assert cli.main(["key", "rotate", "--config", str(own / "relay.toml")]) == 0
    assert "older ones stay readable" in capsys.readouterr().out
    assert len(read_programme(own / "keys").older) == 1
