"""The stand-in for the NATS exporter: what it says of a real server, healthy and gone."""

from collections.abc import Iterator

import nats
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from local.nats import NatsServer
from local.nats_exporter import NatsCollector, flattened

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(server: NatsServer) -> Series:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(NatsCollector(server.monitor_url))
    text = generate_latest(registry).decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def found(series: Series, name: str, **labels: str) -> Iterator[float]:
    return (value for (each, has), value in series.items() if each == name and labels.items() <= dict(has).items())


async def test_a_stream_and_its_consumer_are_told_as_the_exporter_tells_them(nats_server: NatsServer) -> None:
    client = await nats.connect(nats_server.url)
    jetstream = client.jetstream()
    await jetstream.add_stream(name="S", subjects=["s.>"], max_bytes=1_000_000)
    reader = await jetstream.pull_subscribe("s.>", durable="reader")
    for number in range(3):
        await jetstream.publish("s.a", str(number).encode())
    first, _ = await reader.fetch(2)
    await first.ack_sync()
    series = scraped(nats_server)
    await client.close()

    stream = {"stream_name": "S", "account": "$G", "is_stream_leader": "true", "server_name": "kraftcenter"}
    consumer = {**stream, "consumer_name": "reader", "is_consumer_leader": "true"}
    assert [*found(series, "jetstream_server_total_streams")] == [1]
    assert [*found(series, "jetstream_stream_total_messages", **stream)] == [3]
    assert [*found(series, "jetstream_stream_last_seq", **stream)] == [3]
    assert [*found(series, "jetstream_stream_limit_bytes", **stream)] == [1_000_000]
    assert [*found(series, "jetstream_consumer_num_pending", **consumer)] == [1]
    assert [*found(series, "jetstream_consumer_num_ack_pending", **consumer)] == [1]
    assert [*found(series, "jetstream_consumer_ack_floor_stream_seq", **consumer)] == [1]
    assert all(0 <= seconds < 60 for seconds in found(series, "jetstream_consumer_last_ack_seconds", **consumer))
    assert [*found(series, "gnatsd_healthz_status")] == [0]
    assert [*found(series, "gnatsd_varz_jetstream_stats_storage")] == [
        *found(series, "jetstream_server_total_message_bytes")
    ]


def test_of_a_server_that_is_gone_it_says_that_and_nothing_else(nats_server: NatsServer) -> None:
    nats_server.stop()

    series = scraped(nats_server)

    assert [name for name, _ in series] == ["gnatsd_healthz_status_value"]
    assert [*found(series, "gnatsd_healthz_status_value", value="unreachable")] == [0]


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({"stats": {"api": {"total": 3}}}, [("stats_api_total", {}, 3)]),
        ({"http_req_stats": {"/varz": 2}}, [("http_req_stats_varz", {}, 2)]),
        ({"version": "2.15.1", "go": "go1.27"}, [("version", {"value": "2.15.1"}, 1)]),
        ({"start": "1970-01-01T00:01:00Z"}, [("start", {}, 60)]),
        ({"strict": True, "urls": ["nats://a"]}, []),
    ],
)
def test_answers_are_flattened_as_the_exporter_flattens_them(told: dict[str, object], shown: list[object]) -> None:
    assert list(flattened(told)) == shown
