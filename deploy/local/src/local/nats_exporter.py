"""Stands in for prometheus-nats-exporter, which comes in no wheel: the same names and labels, from the same answers.

What it tells is what that tells with `-varz -jsz=all -healthz`; each scrape asks the server anew.
"""

import json
import re
import signal
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from local.processes import LOOPBACK

SILENT = (OSError, HTTPException, ValueError)
JSZ = "jsz?consumers=true&config=true&raft=true"
# Of texts it shows these alone, in a label; the times among them are seconds.
TEXTS = ("server_id", "server_name", "version", "domain", "leader", "name", "start", "config_load_time")
SERVER = {"disabled": "jetstream_disabled", "streams": "total_streams", "consumers": "total_consumers"}
SERVER |= {"messages": "total_messages", "bytes": "total_message_bytes"}
ACCOUNT = {"reserved_storage": "max_storage", "reserved_memory": "max_memory"}
ACCOUNT |= {"storage": "storage_used", "memory": "memory_used"}
STREAM = {"messages": "total_messages", "bytes": "total_bytes", "first_seq": "first_seq", "last_seq": "last_seq"}
STREAM |= {"consumer_count": "consumer_count", "num_subjects": "subject_count"}
LIMITS = {"max_bytes": "limit_bytes", "max_msgs": "limit_messages"}
CONSUMER = ("num_ack_pending", "num_redelivered", "num_waiting", "num_pending")

Labels = dict[str, str]
Sample = tuple[str, Labels, float]


class NatsCollector(Collector):
    """What the monitor of a nats-server says, as metrics."""

    def __init__(self, monitor_url: str) -> None:
        self._url = monitor_url

    def collect(self) -> Iterator[Metric]:
        """Everything as it stands; of a server that does not answer, that it is unreachable."""
        families: dict[str, GaugeMetricFamily] = {}
        for name, labels, value in self._samples():
            family = families.setdefault(name, GaugeMetricFamily(name, "As prometheus-nats-exporter has it."))
            family.add_sample(name, labels, value)
        yield from families.values()

    def _samples(self) -> Iterator[Sample]:
        server = {"server_id": self._url}
        try:
            health, varz, jsz = (self._ask(path) for path in ("healthz", "varz", JSZ))
        except SILENT:
            yield "gnatsd_healthz_status_value", {**server, "value": "unreachable"}, 0
            return
        status = health["status"]
        yield "gnatsd_healthz_status", server, float(status != "ok")
        yield "gnatsd_healthz_status_value", {**server, "value": status}, float(status == "ok")
        yield from ((f"gnatsd_varz_{name}", {**server, **labels}, value) for name, labels, value in flattened(varz))
        yield from (
            (f"jetstream_{name}", {**server, **labels}, value) for name, labels, value in of_jetstream(jsz, varz)
        )

    def _ask(self, path: str) -> dict[str, Any]:
        try:
            with urlopen(f"{self._url}/{path}", timeout=5) as answer:  # noqa: S310 - the monitor of a server of ours
                found: dict[str, Any] = json.load(answer)
        except HTTPError as unwell:
            # An unhealthy server says so with its status, and why in the body.
            found = json.load(unwell)
        return found


def flattened(told: Mapping[str, Any], prefix: str = "") -> Iterator[Sample]:
    """Every number by its path, as `jetstream_stats_storage`, and the texts that are shown as labels or times."""
    for key, value in told.items():
        name = re.sub("_+", "_", f"{prefix}_{key}".replace("/", "_")).strip("_")
        match value:
            case bool():
                continue
            case int() | float():
                yield name, {}, value
            case dict():
                yield from flattened(value, name)
            case str() if key in TEXTS:
                time = seconds_of(value)
                yield (name, {"value": value}, 1) if time is None else (name, {}, time)


def of_jetstream(jsz: Mapping[str, Any], varz: Mapping[str, Any]) -> Iterator[Sample]:
    """JetStream as it stands: the server, its accounts, their streams, and the consumers of these."""
    me, meta = varz["server_name"], jsz.get("meta_cluster", {})
    server = {"server_name": me, "cluster": meta.get("name", ""), "domain": jsz.get("config", {}).get("domain", "")}
    server |= {"meta_leader": meta.get("leader", ""), "is_meta_leader": _is_leader(meta, me)}
    for key, name in SERVER.items():
        yield f"server_{name}", server, float(jsz.get(key, 0))
    for key in ("max_memory", "max_storage"):
        yield f"server_{key}", server, jsz.get("config", {}).get(key, 0)
    for account in jsz.get("account_details", ()):
        owner = server | {"account": account["name"], "account_name": account["name"], "account_id": account["id"]}
        for key, name in ACCOUNT.items():
            yield f"account_{name}", owner, account.get(key, 0)
        for stream in account.get("stream_detail", ()):
            yield from _of_stream(stream, owner, me)


def _of_stream(stream: Mapping[str, Any], owner: Labels, me: str) -> Iterator[Sample]:
    cluster = stream.get("cluster", {})
    labels = owner | {"stream_name": stream["name"], "stream_leader": cluster.get("leader", "")}
    labels |= {"is_stream_leader": _is_leader(cluster, me), "stream_raft_group": stream.get("stream_raft_group", "")}
    for key, name in STREAM.items():
        yield f"stream_{name}", labels, stream["state"].get(key, 0)
    for key, name in LIMITS.items():
        yield f"stream_{name}", labels, stream.get("config", {}).get(key, 0)
    for consumer in stream.get("consumer_detail", ()):
        yield from _of_consumer(consumer, labels, me)


def _of_consumer(consumer: Mapping[str, Any], stream: Labels, me: str) -> Iterator[Sample]:
    cluster = consumer.get("cluster", {})
    labels = stream | {"consumer_name": consumer["name"], "consumer_leader": cluster.get("leader", "")}
    description = consumer.get("config", {}).get("description", "")
    labels |= {"is_consumer_leader": _is_leader(cluster, me), "consumer_desc": description}
    now = seconds_of(consumer["ts"])
    for key, name, last in (("delivered", "delivered", "last_delivery"), ("ack_floor", "ack_floor", "last_ack")):
        reached = consumer.get(key, {})
        yield f"consumer_{name}_consumer_seq", labels, reached.get("consumer_seq", 0)
        yield f"consumer_{name}_stream_seq", labels, reached.get("stream_seq", 0)
        at = seconds_of(reached.get("last_active", ""))
        if now is not None and at is not None:
            yield f"consumer_{last}_seconds", labels, now - at
    for key in CONSUMER:
        yield f"consumer_{key}", labels, consumer.get(key, 0)


def seconds_of(text: str) -> float | None:
    """The instant that a text tells; None for other texts."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def _is_leader(cluster: Mapping[str, Any], me: str) -> str:
    return "true" if not cluster or cluster.get("leader") == me else "false"


def serve(port: int, monitor_url: str) -> None:
    """Answer scrapes on the loopback port until a signal comes."""
    registry = CollectorRegistry()
    registry.register(NatsCollector(monitor_url))
    start_http_server(port, addr=LOOPBACK, registry=registry)
    signal.pause()


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
