"""A programme file that cannot be used never takes the place of one that can."""

import json
from pathlib import Path

import pytest
from edge_fakes import write_programme

from chevet.edge.errors import SettingsError
from chevet.edge.trust import keep_programme, read_programme
from chevet.exchange.enrolment import ProgrammeFile
from chevet.exchange.keys import new_sealing_key, public_text


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ({"recovery": ""}, "32 bytes"),
        ({"recovery": "AAAA"}, "32 bytes"),
        ({"programme": None, "recovery": public_text(new_sealing_key().public_key())}, "missing"),
        ({"recovery": None}, "missing"),
    ],
)
def test_what_the_relay_gives_is_refused_where_the_box_could_not_start_with_it(
    tmp_path: Path, damage: dict[str, str | None], told: str
) -> None:
    path, _ = write_programme(tmp_path)
    before = path.read_bytes()
    words = json.loads(before)
    recipients = words["recipients"] | damage
    words["recipients"] = {name: key for name, key in recipients.items() if key is not None}
    with pytest.raises(SettingsError, match=told):
        keep_programme(path, ProgrammeFile.model_validate(words))
    assert path.read_bytes() == before
    assert read_programme(path).recipients


def test_a_newer_key_of_the_programme_is_taken(tmp_path: Path) -> None:
    path, _ = write_programme(tmp_path)
    words = json.loads(path.read_bytes())
    words["recipients"]["programme"] = public_text(new_sealing_key().public_key())
    keep_programme(path, ProgrammeFile.model_validate(words))
    assert json.loads(path.read_bytes())["recipients"] == words["recipients"]
