"""What a relay measures, for Prometheus: counts and times by site code, never of a patient.

Most is read from the archive when it is asked for, so that every worker tells the same and a restart loses
nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select

from chevet.relay.archive.alerts import by_state
from chevet.relay.archive.schema import bundles, cases, dead_letters, erasures
from chevet.relay.errors import RelayError, SettingsError
from chevet.relay.health import free_bytes
from chevet.relay.relay import Relay
from chevet.study.study import URGENCIES


class ArchiveMetrics(Collector):
    """Reads the archive whenever it is asked."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def collect(self) -> Iterator[Metric]:
        """Yield every metric of the archive; where it cannot be read, that alone."""
        up = GaugeMetricFamily("chevet_relay_archive_up", "1 while the archive can be read")
        broker = GaugeMetricFamily("chevet_relay_broker_up", "1 while the line to the broker is open")
        broker.add_metric([], float(self._relay.broker_seen.online))
        store = GaugeMetricFamily("chevet_relay_store_up", "1 while the store of the objects answers")
        store.add_metric([], float(self._relay.objects.there))
        free = GaugeMetricFamily("chevet_relay_disk_free_bytes", "Room on the disk of the objects")
        free.add_metric([], float(free_bytes(self._relay)))
        found: list[Metric] = []
        try:
            with self._relay.database.read() as connection:
                found = list(_of_archive(connection, self._relay.now_ms()))
        except RelayError:
            up.add_metric([], 0.0)
        else:
            up.add_metric([], 1.0)
        yield from (up, broker, store, free, *found)


def _of_archive(connection: Connection, now_ms: int) -> Iterator[Metric]:
    yield from _bundles(connection)
    yield from _waiting(connection, now_ms)
    refused = CounterMetricFamily(
        "chevet_relay_refused", "Messages refused, kept as dead letters", labels=["site"]
    )
    known = select(bundles.c.site).distinct()
    count = select(dead_letters.c.site, func.sum(dead_letters.c.times).label("many"))
    for row in connection.execute(count.where(dead_letters.c.site.in_(known)).group_by(dead_letters.c.site)):
        refused.add_metric([row.site], float(row.many))
    alerts = GaugeMetricFamily("chevet_relay_alerts", "Alerts by state", labels=["state"])
    for state, many in sorted(by_state(connection).items()):
        alerts.add_metric([state], float(many))
    yield from (refused, alerts)


def _bundles(connection: Connection) -> Iterator[Metric]:
    whole = CounterMetricFamily(
        "chevet_relay_bundles", "Bundles stored whole, by site, way and kind", labels=["site", "way", "kind"]
    )
    size = CounterMetricFamily(
        "chevet_relay_wire_bytes", "Bytes carried, by site and way", labels=["site", "way"]
    )
    query = select(
        bundles.c.site,
        bundles.c.direction,
        bundles.c.kind,
        func.count(bundles.c.complete_ms).label("whole"),
        func.sum(bundles.c.wire_bytes).label("size"),
    ).group_by(bundles.c.site, bundles.c.direction, bundles.c.kind)
    sizes: dict[tuple[str, str], float] = {}
    for row in connection.execute(query):
        whole.add_metric([row.site, row.direction, row.kind], float(row.whole))
        way = (row.site, row.direction)
        sizes[way] = sizes.get(way, 0.0) + float(row.size)
    for labels, total in sizes.items():
        size.add_metric(list(labels), total)
    yield from (whole, size)


def _waiting(connection: Connection, now_ms: int) -> Iterator[Metric]:
    waiting = GaugeMetricFamily("chevet_relay_cases_waiting", "Cases without an answer", labels=["urgency"])
    late = GaugeMetricFamily("chevet_relay_cases_late", "Of these, past their due time", labels=["urgency"])
    open_ones = (cases.c.answered_ms.is_(None), cases.c.id.not_in(select(erasures.c.case_id)))
    query = select(cases.c.rank, func.count().label("many")).where(*open_ones).group_by(cases.c.rank)
    overdue = query.where(cases.c.due_ms < now_ms)
    for metric, rows in ((waiting, connection.execute(query)), (late, connection.execute(overdue))):
        many = {row.rank: row.many for row in rows}
        for rank, urgency in enumerate(reversed(URGENCIES)):
            metric.add_metric([urgency], float(many.get(rank, 0)))
        yield metric


@contextmanager
def serving_metrics(relay: Relay) -> Iterator[int]:
    """Serve metrics on the port that the settings name, or none; give the port.

    Raises:
        SettingsError: the port is taken.
    """
    host, port = relay.settings.metrics_host, relay.settings.metrics_port
    if not port:
        yield 0
        return
    registry = relay.meters.registry
    registry.register(ArchiveMetrics(relay))
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        raise SettingsError(
            "metrics_port", f"Cannot serve metrics on {host}:{port} ({error.strerror}): choose another port."
        ) from None
    try:
        yield port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
