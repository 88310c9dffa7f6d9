"""`make soak`: a stack lives under steady traffic, and nothing may grow: memory, files, connections, lag.

Then its books must close. A service's memory and PostgreSQL's own memory are judged. What holds data, PostgreSQL's
shared buffers and the index that nats-server keeps of its streams, grows with the data and is shown beside them.
"""

import asyncio
import json
import logging
import os
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Annotated

import nats
import psutil
import typer
from nats.js import JetStreamContext
from rich.console import Console
from rich.table import Table

from chassis import logs
from chassis.database import Pool, create_pool
from contracts.streams import streams_of
from impact.ingest import DURABLE
from local.instances import MUNICIPALITY
from local.nats import NatsServer
from local.postgres import OwnPostgres
from local.stack import Stack, running_stack
from tests.bench.closing import GATEWAY, POOL, lag, waiting, wrong_at_the_end
from tests.bench.progress import Told
from tests.bench.report import WIDTH, machine, number
from tests.bench.servers import NOW
from tests.bench.traffic import Sent, traffic
from tests.bench.trend import Tolerance, Trend, trend

FILE = Path("build/soak.json")
SAMPLE_SECONDS = 10.0
MEMORY = Tolerance(8.0, 0.05)
FILES = CONNECTIONS = Tolerance(3.0)
# What may wait now and then: what comes in these seconds.
BACKLOG_SECONDS = 5

Samples = dict[str, list[tuple[float, float]]]


def soak(
    *,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long the traffic goes on.")] = 60,
    rate: Annotated[float, typer.Option(min=1, help="Events a second, through the pool's outbox.")] = 200,
    seed: Annotated[int, typer.Option(help="Another seed is other people.")] = 2026,
    sample_seconds: Annotated[float, typer.Option(min=0.5, help="Between samples.")] = SAMPLE_SECONDS,
    output: Annotated[Path, typer.Option(help="Where the run is kept.")] = FILE,
) -> None:
    """Live under steady traffic; the exit code is 1 when something grows, or the books do not close.

    Examples:
    python -m tests.bench.soak --minutes 60 --rate 200
    """
    logs.configure("soak")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    samples, sent, found = asyncio.run(_soak(minutes, rate, seed, sample_seconds))
    trends = trends_of(samples, rate)
    bad = [fault for each in trends for fault in each.faults] + found + sent.refused[:10]
    kept = {
        "verdict": "bad" if bad else "good",
        "faults": bad,
        "minutes": minutes,
        "rate": rate,
        "seed": seed,
        "sent": asdict(sent),
        "trends": [asdict(each) | {"flat": each.flat} for each in trends],
        "samples": samples,
        "machine": machine(),
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    console = Console(width=WIDTH)
    console.print(_table(trends))
    console.print(
        f"{sent.events:,} events, {sent.commands:,} commands, {sent.messages:,} messages of payroll,", end=" "
    )
    console.print(
        f"{sent.reads:,} reads, the slowest in {sent.slowest_read_ms:,.0f} ms; kept in {output}", markup=False
    )
    for fault in bad:
        console.print(f"✗ {fault}", style="red", markup=False)
    raise typer.Exit(1 if bad else 0)


async def _soak(minutes: float, rate: float, seed: int, every: float) -> tuple[Samples, Sent, list[str]]:
    told, samples = Told(), Samples()
    with tempfile.TemporaryDirectory(prefix="kraftcenter-soak-") as folder:
        clock = Path(folder) / "clock"
        clock.write_text(f"{NOW}\n", encoding="utf-8")
        settings = {"CLOCK": f"file:{clock}"}
        async with running_stack(Path(folder) / "stack", lasting=True, settings=settings) as stack:
            told.say("the stack runs")
            bus = await nats.connect(stack.nats_url)
            try:
                async with traffic(stack, MUNICIPALITY, rate, seed) as sent:
                    await _watch(stack, bus.jetstream(), samples, sent, told, seconds=60 * minutes, every=every)
                told.say(f"the traffic is over: {sent.events:,} events")
                found = await wrong_at_the_end(stack, bus.jetstream(), sent, told)
            finally:
                await bus.close()
    told.say("the books close" if not found else "; ".join(found))
    return samples, sent, found


async def _watch(  # noqa: PLR0913 - what is watched, and how
    stack: Stack, jetstream: JetStreamContext, samples: Samples, sent: Sent, told: Told, *, seconds: float, every: float
) -> None:
    """Sample again and again, and tell of it once a minute."""
    began, shown = monotonic(), 0
    async with await create_pool(stack.postgres.dsn, name="soak watcher", max_size=1) as db:
        while (now := monotonic() - began) < seconds:
            for name, value in (await _sample(stack, jetstream, db)).items():
                samples.setdefault(name, []).append((now, value))
            if now // 60 >= shown:
                shown += 1
                behind, unsent, memory, load = (
                    samples[name][-1][1] for name in ("lag", "outbox", "rss impact", "load")
                )
                backlog = f"lag {behind:,.0f}, outbox {unsent:,.0f}"
                told.say(f"{sent.events:,} events, {backlog}, impact {memory:,.0f} MB, load {load:.1f}")
            await asyncio.sleep(max(0.0, every - (monotonic() - began - now)))


async def _sample(stack: Stack, jetstream: JetStreamContext, db: Pool) -> dict[str, float]:
    found = {"load": os.getloadavg()[0]}
    for name, service in stack.services.items():
        process = psutil.Process(service.pid or 0)
        found[f"rss {name}"] = process.memory_info().rss / 1e6
        found[f"files {name}"] = process.num_fds()
    if isinstance(stack.nats, NatsServer) and stack.nats.pid:
        server = psutil.Process(stack.nats.pid)
        found |= {"rss nats": server.memory_info().rss / 1e6, "files nats": server.num_fds()}
    if isinstance(stack.postgres, OwnPostgres) and stack.postgres.pid:
        found |= _memory_of_postgres(stack.postgres.pid)
    rows = await db.fetch("SELECT application_name FROM pg_stat_activity WHERE backend_type = 'client backend'")
    for name, connections in Counter(row["application_name"] or "-" for row in rows).items():
        found[f"connections {name}"] = connections
    found["lag"] = sum([await lag(jetstream, stream.name, DURABLE) for stream in streams_of(MUNICIPALITY)])
    found["lag of the inbox"] = await lag(jetstream, GATEWAY.name, POOL)
    found["outbox"] = await waiting(stack)
    return found


def _memory_of_postgres(postmaster: int) -> dict[str, float]:
    """What its processes have each for themselves, and the shared memory, which fills with data; in MB.

    A page of shared memory that one process alone has touched counts as that one's, unless asked for like this.
    """
    kilobytes: Counter[str] = Counter()
    server = psutil.Process(postmaster)
    for process in (server, *server.children(recursive=True)):
        with suppress(FileNotFoundError, ProcessLookupError):
            rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()[1:]
            kilobytes.update({line.split()[0]: int(line.split()[1]) for line in rollup})
    own, shared = (kilobytes[name] * 1024 / 1e6 for name in ("Pss_Anon:", "Pss_Shmem:"))
    return {"own postgres": own, "shared postgres": shared}


def trends_of(samples: Mapping[str, Sequence[tuple[float, float]]], rate: float) -> list[Trend]:
    """The line through each series, and how far it may rise; the load is what the machine did, whoever asked for it."""
    backlog = Tolerance(rate, high=BACKLOG_SECONDS * rate)
    kinds: dict[str, tuple[str, Tolerance | None]] = {
        "rss": ("MB", MEMORY),
        "own": ("MB", MEMORY),
        "shared": ("MB", None),
        "files": ("", FILES),
        "connections": ("", CONNECTIONS),
        "lag": ("events", backlog),
        "outbox": ("events", backlog),
        "load": ("", None),
    }
    found = []
    for name, series in sorted(samples.items()):
        unit, tolerance = kinds[name.split()[0]]
        line = trend(name, unit, series, None if name == "rss nats" else tolerance)
        found += [line] if line else []
    return found


def _table(trends: Sequence[Trend]) -> Table:
    shown = Table(title="make soak", title_justify="left")
    shown.add_column("what", no_wrap=True)
    for name in ("first", "last", "highest", "per hour", "last half", "rise", "allowed", "high", "flat"):
        shown.add_column(name, justify="right", no_wrap=True)
    for each in trends:
        values = (each.first, each.last, each.highest, each.per_hour, each.late_per_hour, each.rise, each.allowed)
        verdict = {True: "yes", False: "no", None: "not judged"}[each.flat]
        name = f"{each.name}, {each.unit}".rstrip(", ")
        shown.add_row(name, *map(number, values), f"{each.often_high:.0%}", verdict)
    return shown


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(soak)
    app()
