"""The parts of a link's URL."""

from dataclasses import dataclass
from urllib.parse import parse_qsl

from chevet.bridge.errors import LinkUnavailable


@dataclass(frozen=True, slots=True)
class LinkUrl:
    """A URL of the form `scheme:target?option=value`, taken apart.

    Attributes:
        text: the whole URL.
        scheme: what stands before the first colon.
        target: path, host, address or number; for "mjpeg" everything after the colon.
        options: what follows the question mark.
    """

    text: str
    scheme: str
    target: str
    options: dict[str, str]

    def number(self, name: str, default: float) -> float:
        """Return option `name` as a number of 0 or more.

        Raises:
            LinkUnavailable: it is no number (reason "bad_url").
        """
        try:
            value = float(self.options.get(name, default))
        except ValueError:
            raise LinkUnavailable(self.text, "bad_url") from None
        if not 0 <= value < 1e9:
            raise LinkUnavailable(self.text, "bad_url")
        return value


def split_url(url: str, *, options: frozenset[str] = frozenset()) -> LinkUrl:
    """Take `url` apart; options other than those in `options` are refused.

    Raises:
        LinkUnavailable: no target, or an option that this scheme does not know (reason "bad_url").
    """
    scheme, _, rest = url.partition(":")
    target, _, query = rest.partition("?")
    try:
        given = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    except ValueError:
        raise LinkUnavailable(url, "bad_url") from None
    if not target or not given.keys() <= options:
        raise LinkUnavailable(url, "bad_url")
    return LinkUrl(url, scheme, target, given)
