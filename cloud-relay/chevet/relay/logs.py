"""The relay's log: standard error, one line an event, text or JSON; never patient data, never a payload."""

import json
import logging
from datetime import UTC, datetime
from typing import Final

TEXT: Final = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class JsonLines(logging.Formatter):
    """One object a line: at (UTC), level, room (the module), text, and where an error arose."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of one record."""
        said = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "room": record.name.removeprefix("chevet.relay."),
            "text": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0]:
            said["error"] = record.exc_info[0].__name__  # its text may quote what somebody sent
        return json.dumps(said, ensure_ascii=False)


def start_log(level: str, form: str = "text") -> None:
    """Log to standard error from now on."""
    to = logging.StreamHandler()
    to.setFormatter(JsonLines() if form == "json" else logging.Formatter(TEXT))
    logging.basicConfig(level=level.upper(), handlers=[to], force=True)
    for noisy in ("alembic", "httpx", "httpcore", "uvicorn.access"):  # httpx names whole addresses
        logging.getLogger(noisy).setLevel(logging.WARNING)
