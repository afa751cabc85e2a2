"""A real S3 server on this machine that keeps its buckets in a folder, and the settings to reach it."""

import os
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from chevet.relay.archive.bucket_client import Bucket, open_client

WHY_NOT = (
    "no S3 store here: `make test` installs boto3 and nanio, a small server that keeps buckets in a folder"
)
REGION = "ma-rabat-1"
KEY, SECRET = "chevet", "a secret of the tests"


def is_here() -> bool:
    return all(find_spec(name) for name in ("boto3", "nanio"))


class S3Server:
    """One server process on a port and a folder of its own; started again, it has what it had."""

    def __init__(self, folder: Path, region: str = REGION) -> None:
        self.folder, self.region = folder, region
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        self.client: Any = open_client(self.bucket(make=False))  # takes a while, and serves every bucket
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def start(self) -> None:
        options = ["--data-dir", str(self.folder), "--host", "127.0.0.1", "--port", str(self.port)]
        quiet = ["--region", self.region, "--log-level", "error", "--no-access-log"]
        keys = {"NANIO_ACCESS_KEY": KEY, "NANIO_SECRET_KEY": SECRET}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nanio", "serve", *options, *quiet],
            env=os.environ | keys,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 60
        while not self._answers():
            assert self.process.poll() is None, "the S3 server ended"
            assert time.monotonic() < until, "the S3 server does not answer"
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()  # as a power cut would: what it acknowledged must be on the disk
            self.process.wait()
            self.process = None

    def bucket(self, *, make: bool = True, **changes: str) -> Bucket:
        """Return a bucket of its own, empty."""
        fields = {
            "name": f"b{uuid4().hex[:12]}",
            "prefix": "chevet/a",
            "endpoint": self.endpoint,
            "region": self.region,
            "key_id": KEY,
            "secret": SECRET,
            "ca_file": "",
            "policy": self.region,
        }
        found = Bucket(**fields | changes)
        if make:
            self.client.create_bucket(Bucket=found.name)
        return found

    def settings(self, bucket: Bucket, secret_file: Path) -> dict[str, object]:
        """Return what relay.toml says of a bucket."""
        secret_file.write_text(SECRET + "\n")
        return {
            "objects": f"s3://{bucket.name}/{bucket.prefix}",
            "s3_endpoint": self.endpoint,
            "s3_region": self.region,
            "s3_key_id": KEY,
            "s3_secret_file": secret_file,
            "region": self.region,
        }

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True
