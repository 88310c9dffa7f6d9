"""Each guard is broken on purpose in a copy of the sources, and the test that watches over it must then go red."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("contracts", "chassis", "services/flexjob_pool", "services/gateway", "services/impact", "deploy/local")
TESTS_FAILED = 1


@dataclass(frozen=True, slots=True)
class Break:
    """One way to lose or double an event: what to change where, and the test that must notice."""

    name: str
    file: str
    guard: str
    broken: str
    watch: str


BREAKS = (
    Break(
        "acknowledge_before_commit",
        "services/impact/src/impact/consumer.py",
        "        try:\n            async with self._in_progress(messages):\n",
        "        for message in messages:\n            await message.ack()\n"
        "        try:\n            async with self._in_progress(messages):\n",
        "services/impact/tests/consumer/test_consumer.py::"
        "test_what_the_database_cannot_take_now_is_delivered_again_and_never_parked",
    ),
    Break(
        "acknowledge_before_commit_in_the_inbox",
        "chassis/src/chassis/subscriber.py",
        "        work = asyncio.create_task(self._bring_in(pool, message))\n",
        "        await message.ack()\n        work = asyncio.create_task(self._bring_in(pool, message))\n",
        "chassis/tests/subscriber/test_crashes.py::test_nothing_is_acknowledged_before_its_commit",
    ),
    Break(
        "inbox_row_outside_the_transaction",
        "chassis/src/chassis/subscriber.py",
        "async with pool.acquire(timeout=ACQUIRE_SECONDS) as db, db.transaction():\n"
        "            progress = await inbox.lock(db, delivery.stream)\n",
        "async with pool.acquire(timeout=ACQUIRE_SECONDS) as db:\n"
        "            progress = await inbox.lock(db, delivery.stream)\n",
        "chassis/tests/subscriber/test_crashes.py::"
        "test_a_crash_within_the_handler_leaves_nothing_and_the_event_comes_again_first",
    ),
    Break(
        "dedupe_by_id_only",
        "services/impact/src/impact/ledger.py",
        "return self.reading.envelope.source, self.reading.envelope.id",
        'return "", self.reading.envelope.id',
        "services/impact/tests/test_ledger.py::test_the_same_id_from_another_source_is_another_event",
    ),
    Break(
        "effect_outside_the_transaction",
        "services/impact/src/impact/ingest.py",
        "async with pool.acquire() as db, db.transaction():",
        "async with pool.acquire() as db:",
        "services/impact/tests/test_rebuild.py::test_a_worker_that_dies_within_its_transaction_leaves_nothing_behind",
    ),
    Break(
        "publish_before_commit",
        "chassis/src/chassis/outbox.py",
        "    await db.execute(query, *map(list, columns), now)\n",
        '    await db.execute(query, *map(list, columns), now)\n    await db.execute("COMMIT; BEGIN")\n',
        "chassis/tests/relay/test_publishing.py::test_what_was_not_committed_is_never_published",
    ),
    Break(
        "publish_without_the_expected_last_sequence",
        "chassis/src/chassis/batch.py",
        '{"Nats-Expected-Stream": stream, "Nats-Expected-Last-Sequence": str(expected_last_sequence)}',
        '{"Nats-Expected-Stream": stream}',
        "chassis/tests/test_batch.py::test_a_batch_is_refused_where_the_stream_ends_elsewhere",
    ),
)


@pytest.mark.parametrize("fault", BREAKS, ids=lambda fault: fault.name)
def test_a_broken_guard_is_noticed(fault: Break, tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package / "src", tmp_path / package / "src")
    target = tmp_path / fault.file
    source = target.read_text(encoding="utf-8")
    assert source.count(fault.guard) == 1, f"the guard in {fault.file} has changed: change its break with it"
    target.write_text(source.replace(fault.guard, fault.broken), encoding="utf-8")

    run = run_test(fault.watch, tmp_path)

    assert run.returncode == TESTS_FAILED, f"nothing noticed {fault.name}:\n{run.stdout}\n{run.stderr}"
    assert "error during collection" not in run.stdout


def run_test(watch: str, sources: Path) -> "subprocess.CompletedProcess[str]":
    """Run one test on the sources of the copy."""
    places = [str(sources / package / "src") for package in PACKAGES]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(places), "PYTHONDONTWRITEBYTECODE": "1"}
    found = run_python(["-c", "import chassis, impact; print(chassis.__file__, impact.__file__)"], environment)
    assert found.stdout.count(str(sources)) == 2, "the test would not run on the copy"
    return run_python(["-m", "pytest", "-x", "-n0", "-p", "no:cacheprovider", watch], environment)


def run_python(arguments: list[str], environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run our own interpreter in the root of the project."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
