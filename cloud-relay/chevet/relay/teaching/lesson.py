"""A lesson: the reviewed words about a case, and which of its recordings are shown with them."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Final

from chevet.study.recording import Recording

SIGNAL, SOUND, PICTURE, CLIP = "signal", "sound", "picture", "clip"
LOOKED_AT: Final = (SOUND, PICTURE, CLIP)
"""Kinds in which a voice or a face may be: each is looked at by a person before it is taken."""
HEARD: Final = ("heart_sound", "lung_sound")


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """One thing of a case that may be shown: a recording's signal, its sound, one still, its clip."""

    recording: str
    kind: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a person wrote, reviewed and chose; `points` and `answer` are hidden until somebody asks."""

    title: str
    specialty: str
    story: str
    question: str
    answer: str
    points: tuple[str, ...]
    items: tuple[Item, ...]

    def texts(self) -> dict[str, str]:
        """Return every free text by its field."""
        return {
            "title": self.title,
            "story": self.story,
            "question": self.question,
            "answer": self.answer,
            "points": "\n".join(self.points),
        }


def items_of(recordings: Iterable[Recording]) -> tuple[Item, ...]:
    """Return everything of a case that could be shown."""
    return tuple(item for one in recordings for item in _items(one))


def _items(one: Recording) -> Iterable[Item]:
    if one.waveforms:
        yield Item(one.id, SOUND if one.step in HEARD else SIGNAL)
    yield from (Item(one.id, PICTURE, number) for number in range(len(one.pictures)))
    if one.clip is not None:
        yield Item(one.id, CLIP)


def written(lesson: Lesson) -> str:
    """Return a lesson as the text that the archive seals."""
    return json.dumps(asdict(lesson), ensure_ascii=False)


def read(text: str) -> Lesson:
    """Return the lesson that `written` wrote."""
    found = json.loads(text)
    items = tuple(Item(**one) for one in found.pop("items"))
    return Lesson(**found | {"points": tuple(found["points"]), "items": items})
