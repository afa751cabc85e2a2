"""`chevet-relay broker --engine rabbitmq --write DIR`: the same rules as files for a RabbitMQ cluster.

RabbitMQ (3.10 of Debian 12 and newer) speaks MQTT 3.1.1 by a plugin. A box's certificate names its user,
topic permissions confine it, queue permissions keep it from other boxes' queues, and what waits for a relay
worker lies in a quorum queue, on three nodes. Its MQTT knows no shared subscriptions: several workers share
by a consistent-hash exchange that deals the boxes' topics out to one queue a worker.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from cryptography import x509

from chevet.exchange.tls import RELAY_NAMES, common_name
from chevet.relay.authority import CA_PUBLIC, CRL_FILE, Authority
from chevet.relay.errors import SettingsError
from chevet.relay.ingest.uplink import BUNDLE_LANES

VHOST: Final = "chevet"
"""A virtual host of its own: nothing of ours touches what else the cluster carries."""
DEALT: Final = "chevet.dealt"
MOST_WAITING: Final = 1 << 30
"""Bytes kept for a worker that is away; beyond them the oldest go, and the boxes, asking, repeat them."""
PLUGINS: Final = "[rabbitmq_mqtt,rabbitmq_consistent_hash_exchange].\n"
CONF: Final = """\
# Written by chevet-relay broker: mutual TLS 1.3, one certificate a site, rights by its name.
# One of these on each node, as /etc/rabbitmq/conf.d/50-chevet.conf.
mqtt.listeners.tcp = none
mqtt.listeners.ssl.default = {port}
mqtt.allow_anonymous = false
mqtt.vhost = {vhost}
mqtt.ssl_cert_login = true
mqtt.durable_queue_type = quorum
mqtt.subscription_ttl = infinity
mqtt.prefetch = 64
ssl_cert_login_from = common_name
cluster_partition_handling = pause_minority
"""
ADVANCED: Final = """\
%% Written by chevet-relay broker, as /etc/rabbitmq/advanced.config of each node: rabbitmq.conf cannot name
%% the folder of revocation lists, and what is said here of ssl_options stands in place of what is said there.
[{{rabbit, [{{ssl_options, [
  {{cacertfile, "{folder}/ca.crt"}},
  {{certfile, "{folder}/broker.pem"}},
  {{keyfile, "{folder}/broker.pem"}},
  {{verify, verify_peer}},
  {{fail_if_no_peer_cert, true}},
  {{versions, ['tlsv1.3']}},
  {{crl_check, peer}},
  {{crl_cache, {{ssl_crl_hash_dir, {{internal, [{{dir, "{folder}/crl"}}]}}}}}}
]}}]}}].
"""
"""The list is read again for every connection."""
APPLY: Final = """\
#!/bin/sh
# Written by chevet-relay broker: brings a running cluster to the sites as they are now. Run it on one node.
set -eu
rabbitmqctl --quiet import_definitions "{folder}/definitions.json"
"""
GONE: Final = """\
rabbitmqctl --quiet close_all_user_connections {site} "revoked"
rabbitmqctl --quiet delete_user {site} || true
"""


def write(
    folder: Path,
    installed: Path,
    authority: Authority,
    broker: Path,
    port: int,
    sites: Iterable[tuple[str, bool]],
    workers: Sequence[str],
) -> None:
    """Write the configuration of every node, the definitions of the cluster, and what applies them.

    Args:
        folder: where to write.
        installed: where the nodes find the same files.
        authority: the programme's, with its list of revoked certificates beside it.
        broker: the nodes' key and certificate.
        port: on which boxes come in.
        sites: their codes, and whether each is revoked.
        workers: MQTT names of the relay's workers; more than one share the boxes between them.

    Raises:
        SettingsError: the folder cannot be written.
    """
    known = dict(sites)
    let_in = sorted(code for code, revoked in known.items() if not revoked)
    texts = {
        "rabbitmq.conf": CONF.format(port=port, vhost=VHOST),
        "advanced.config": ADVANCED.format(folder=installed),
        "enabled_plugins": PLUGINS,
        "definitions.json": json.dumps(definitions(let_in, workers), indent=1) + "\n",
        "apply.sh": APPLY.format(folder=installed)
        + "".join(GONE.format(site=code) for code in sorted(known) if known[code]),
    }
    try:
        (folder / "crl").mkdir(mode=0o755, parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        (folder / "apply.sh").chmod(0o755)
        shutil.copy2(broker, folder / "broker.pem")
        shutil.copy2(authority.folder / CA_PUBLIC, folder / "ca.crt")
        listed = folder / "crl" / f"{issuer_hash(authority.certificate)}.r0"
        shutil.copy2(authority.folder / CRL_FILE, listed)
    except OSError as error:
        raise SettingsError(str(folder), f"Cannot write in {folder}: {error.strerror}.") from None


def definitions(sites: Sequence[str], workers: Sequence[str]) -> dict[str, Any]:
    """Return the cluster's users, rights and, for several workers, their queues, as RabbitMQ imports them."""
    users = [*RELAY_NAMES, *sites]
    return {
        "vhosts": [{"name": VHOST}],
        # without a password nobody comes in by one: the certificate alone names its user
        "users": [{"name": name, "password_hash": "", "tags": ""} for name in users],
        "permissions": [_rights(name) for name in users],
        "topic_permissions": [_topics(name) for name in users],
        "policies": [
            {
                "vhost": VHOST,
                "name": "chevet",
                "pattern": "^mqtt-subscription-chevet-",
                "apply-to": "queues",
                "priority": 0,
                "definition": {"max-length-bytes": MOST_WAITING, "overflow": "drop-head"},
            }
        ],
        **(_dealt(workers) if len(workers) > 1 else {}),
    }


def _rights(user: str) -> dict[str, str]:
    """A box touches its own queues and the one exchange; the relay those of all its workers."""
    own = _queue("chevet-.*") if user in RELAY_NAMES else _queue(f"edge-{user}(-[0-9a-f]+)?")
    own = f"^{own[:-1]}[01]$"
    either = f"{own}|^amq\\.topic$"
    return {"user": user, "vhost": VHOST, "configure": own, "write": either, "read": either}


def _topics(user: str) -> dict[str, str]:
    """MQTT's "/" is RabbitMQ's "."; a filter with a wildcard is judged as the text it is."""
    if user in RELAY_NAMES:
        write, read = r"^t\.1\.", r"^t\.1\."
    else:
        write, read = rf"^t\.1\.{user}\.u\.[a-z]$", rf"^t\.1\.{user}\.d\.[a-z]$"
    return {"user": user, "vhost": VHOST, "exchange": "amq.topic", "write": write, "read": read}


def _dealt(workers: Sequence[str]) -> dict[str, Any]:
    """Queues named as the MQTT plugin names its sessions, so that a worker that connects has its own."""
    queue = {"vhost": VHOST, "durable": True, "auto_delete": False, "arguments": {"x-queue-type": "quorum"}}
    bound = {"vhost": VHOST, "arguments": {}}
    lanes = [
        bound
        | {"source": "amq.topic", "destination": DEALT, "destination_type": "exchange"}
        | {"routing_key": f"t.1.*.u.{lane}"}
        for lane in BUNDLE_LANES
    ]
    shares = [
        bound
        | {"source": DEALT, "destination": _queue(name), "destination_type": "queue", "routing_key": "1"}
        for name in workers
    ]
    exchange = {"vhost": VHOST, "name": DEALT, "type": "x-consistent-hash", "durable": True}
    return {
        "queues": [queue | {"name": _queue(name)} for name in workers],
        "exchanges": [exchange | {"auto_delete": False, "internal": False, "arguments": {}}],
        "bindings": [*lanes, *shares],
    }


def _queue(client_id: str) -> str:
    return f"mqtt-subscription-{client_id}qos1"


def issuer_hash(certificate: x509.Certificate) -> str:
    """Return the name under which OpenSSL and Erlang look for an issuer's revocation list in a folder.

    SHA-1 over the canonical name (X509_NAME_hash: lower case of ASCII, single spaces, UTF8String), its first
    four bytes little-endian. Our authorities' names are one CN.
    """
    words = b" ".join(common_name(certificate).encode().split())
    lower = bytes(byte + 32 if 0x41 <= byte <= 0x5A else byte for byte in words)
    name = _tlv(0x31, _tlv(0x30, bytes.fromhex("0603550403") + _tlv(0x0C, lower)))
    return hashlib.sha1(name, usedforsecurity=False).digest()[:4][::-1].hex()


def _tlv(tag: int, value: bytes) -> bytes:
    """Return one DER element, of up to 255 bytes."""
    size = bytes([len(value)]) if len(value) < 128 else bytes([0x81, len(value)])
    return bytes([tag]) + size + value
