"""Arrows and circles on pictures, a site's stock of medicines, and medicines in a signed opinion."""

from dataclasses import replace

import pytest

from chevet.relay.archive.stock import LONGEST, MOST, read_stock
from chevet.relay.cli import main
from chevet.relay.errors import SettingsError
from chevet.study.recording import StoredClip

from .conftest import NOON, OPINION, code, ear

ARROW = {"kind": "arrow", "x0": 0.1, "y0": 0.2, "x1": 0.5, "y1": 0.6}
CIRCLE = {"kind": "circle", "x0": 0.5, "y0": 0.5, "x1": 0.7, "y1": 0.5}


async def test_each_reader_keeps_own_marks_on_a_picture_and_all_see_them(world, client, sent):
    study, one, two = sent(recordings=(ear(),)), world.user("one"), world.user("two")
    path = f"/api/cases/{study.id}/recordings/{study.recordings[0].id}/drawings/0"
    async with client(one) as first, client(two) as second:
        await first.put(path, json={"shapes": [ARROW]})
        world.clock.ms += 1
        await second.put(path, json={"shapes": [CIRCLE]})
        world.clock.ms += 1
        answer = await first.put(path, json={"shapes": [ARROW, CIRCLE]})
        case = (await second.get(f"/api/cases/{study.id}")).json()
        assert case["drawings"] == answer.json()["drawings"]
        assert [(d["author"]["name"], len(d["shapes"])) for d in case["drawings"]] == [
            ("Dr two", 1),
            ("Dr one", 2),
        ]
        assert case["drawings"][1]["shapes"] == [ARROW, CIRCLE]
        assert case["drawings"][0]["at_ms"] == NOON + 1
        await second.put(path, json={"shapes": []})
        left = (await second.get(f"/api/cases/{study.id}")).json()["drawings"]
    assert [d["author"]["id"] for d in left] == ["one"]


@pytest.mark.parametrize(
    "shape",
    [CIRCLE | {"x0": 1.2}, CIRCLE | {"kind": "text"}, CIRCLE | {"words": "a name"}, {"kind": "arrow"}],
)
async def test_nothing_but_arrows_and_circles_on_the_picture_is_kept(world, client, sent, shape):
    study = sent(recordings=(ear(),))
    path = f"/api/cases/{study.id}/recordings/{study.recordings[0].id}/drawings/0"
    async with client(world.user()) as desk:
        assert code(await desk.put(path, json={"shapes": [shape]})) == (422, "invalid")
        assert code(await desk.put(path, json={"shapes": [ARROW] * 41})) == (422, "invalid")


async def test_marks_need_a_picture_that_is_there(world, client, sent):
    film = replace(ear(), clip=StoredClip(b"film", "image/avif", 0.0, 2.0))
    study = sent(recordings=(ear(), film))
    still, moving = (f"/api/cases/{study.id}/recordings/{one.id}/drawings" for one in study.recordings)
    async with client(world.user()) as desk:
        assert code(await desk.put(f"{still}/1", json={"shapes": [ARROW]})) == (404, "not_found")
        assert code(await desk.put(f"{still}/1003", json={"shapes": [ARROW]})) == (404, "not_found")
        assert (await desk.put(f"{moving}/1003", json={"shapes": [ARROW]})).status_code == 200
        case = (await desk.get(f"/api/cases/{study.id}")).json()
    assert [d["picture"] for d in case["drawings"]] == [1003]


def test_a_stock_list_is_one_medicine_a_line():
    assert read_stock("# heart\nAspirine 100 mg\n\n  Furosémide 40 mg \nAspirine 100 mg\n") == (
        "Aspirine 100 mg",
        "Furosémide 40 mg",
    )
    with pytest.raises(SettingsError, match="one medicine a line"):
        read_stock("x" * (LONGEST + 1))
    with pytest.raises(SettingsError, match="more than"):
        read_stock("\n".join(f"m{n}" for n in range(MOST + 1)))


async def test_medicines_come_from_the_sites_stock_and_are_signed_with_the_opinion(world, client, sent):
    study = sent()
    world.relay.sites.set_stock("abc", ["Aspirine 100 mg", "Furosémide 40 mg"])
    world.relay.sites.set_stock("abc", ["Furosémide 40 mg", "Aspirine 100 mg"])
    medicines = [{"name": "Aspirine 100 mg", "how": "1 par jour"}]
    async with client(world.user()) as desk:
        case = (await desk.get(f"/api/cases/{study.id}")).json()
        assert case["stock"] == ["Furosémide 40 mg", "Aspirine 100 mg"]
        await desk.post(f"/api/cases/{study.id}/claim")
        signed = await desk.post(f"/api/cases/{study.id}/opinions", json=OPINION | {"medicines": medicines})
        again = (await desk.get(f"/api/cases/{study.id}")).json()["opinions"][0]
        wrong = OPINION | {"medicines": [{"name": ""}]}
        assert code(await desk.post(f"/api/cases/{study.id}/opinions", json=wrong)) == (422, "invalid")
    assert signed.json()["medicines"] == medicines
    assert (again["medicines"], again["verified"]) == (medicines, True)


def test_a_stock_list_for_an_unknown_site_is_refused(world):
    with pytest.raises(SettingsError, match="no site"):
        world.relay.sites.set_stock("nowhere", ["Aspirine"])


def test_the_stock_command_reads_a_file(world, tmp_path, capsys):
    config, listed = tmp_path / "relay.toml", tmp_path / "stock.txt"
    config.write_text(f'keys = "{world.settings.keys}"\narchive = "{world.settings.archive}"\n')
    listed.write_text("Aspirine 100 mg\nParacétamol 500 mg\n", "utf-8")
    assert main(["site", "stock", "abc", str(listed), "--config", str(config)]) == 0
    assert "Site abc has 2 medicines" in capsys.readouterr().out
