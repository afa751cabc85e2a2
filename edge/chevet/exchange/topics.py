"""MQTT topics: short, and with nothing in them but the site's code.

Up: `a` manifests, queries, receipts; `p` previews; `b` bulk; `l` live frames; `s` presence (retained, last
will). Down: `r` receipts; `q` answers travelling by the same protocol reversed; `k` commands.
"""

import re
from typing import Final

from chevet.exchange.errors import Refused

PREFIX: Final = "t/1"
UP_LANES: Final = ("a", "p", "b", "l", "s")
DOWN_LANES: Final = ("r", "q", "k")
_SITE = re.compile(r"[a-z0-9]{1,6}")


def up(site: str, lane: str) -> str:
    """Return the topic a site publishes to.

    Raises:
        ValueError: the site's code or the lane is not one.
    """
    return _topic(site, "u", lane, UP_LANES)


def down(site: str, lane: str) -> str:
    """Return the topic the relay publishes to for a site.

    Raises:
        ValueError: the site's code or the lane is not one.
    """
    return _topic(site, "d", lane, DOWN_LANES)


def all_up(lane: str, group: str = "") -> str:
    """Return the relay's subscription to one lane of every site, shared between workers of `group`."""
    shared = f"$share/{group}/" if group else ""
    return f"{shared}{PREFIX}/+/u/{lane}"


def parse(topic: str) -> tuple[str, str, str]:
    """Return site, direction ("u" or "d") and lane of a topic.

    Raises:
        Refused: `unknown_topic`.
    """
    parts = topic.split("/")
    if len(parts) != 5 or "/".join(parts[:2]) != PREFIX or not _SITE.fullmatch(parts[2]):
        raise Refused("unknown_topic")
    site, way, lane = parts[2:]
    if lane not in {"u": UP_LANES, "d": DOWN_LANES}.get(way, ()):
        raise Refused("unknown_topic")
    return site, way, lane


def _topic(site: str, way: str, lane: str, lanes: tuple[str, ...]) -> str:
    if not _SITE.fullmatch(site) or lane not in lanes:
        raise ValueError("a topic needs a site code of 1 to 6 characters a-z, 0-9 and a known lane")
    return f"{PREFIX}/{site}/{way}/{lane}"
