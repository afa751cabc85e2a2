"""What the worker thought of an answer travels to the relay, once for each change, sealed like a study."""

from dataclasses import replace

import pytest
from edge_fakes import Box
from test_edge_api import kiosk
from test_edge_continuing import sent_case

from chevet.exchange.manifest import read_manifest
from chevet.exchange.sealing import open_sealed
from chevet.study.case import FACES, Message, unpack_message


def messages_of(box: Box) -> list[Message]:
    found = []
    for raw in box.bedside.spool.pending():
        manifest = read_manifest(raw)
        if manifest.kind == "message":
            objects = {
                item.oid: box.bedside.spool.read(manifest.tid, item.oid, 0, item.size)
                for item in manifest.objects
            }
            opened = open_sealed(manifest, objects, box.relay.opener)
            found.append(unpack_message(opened))
    return found


async def test_each_change_of_mind_travels_and_nothing_is_said_twice(box: Box) -> None:
    case = sent_case(box)
    async with kiosk(box) as client:
        for face in ("good", "good", "bad"):
            shown = (await client.post(f"/api/cases/{case}/feedback", json={"face": face})).json()
            assert shown["feedback"] == face
    said = messages_of(box)
    assert [(one.case, one.kind, one.text) for one in said] == [
        (case, "feedback", "good"),
        (case, "feedback", "bad"),
    ]
    assert {one.author.id for one in said} == {"amina"}
    assert box.bedside.spooled.is_set()


async def test_in_a_sealed_programme_it_stays_on_the_box(box: Box) -> None:
    case = sent_case(box)
    programme = box.bedside.rules.closing.programme
    programme.renew(replace(programme, sealed=True))
    async with kiosk(box) as client:
        shown = (await client.post(f"/api/cases/{case}/feedback", json={"face": "fair"})).json()
    assert shown["feedback"] == "fair"
    assert messages_of(box) == []


@pytest.mark.parametrize("face", FACES)
def test_every_face_of_the_screens_is_one_of_the_contract(face: str) -> None:
    from chevet.edge.bodies import Feedback

    assert Feedback.model_validate({"face": face}).face == face
