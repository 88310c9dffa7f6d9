"""Keeps processes running: what ends unasked is started again, after a delay that grows while it keeps ending."""

import asyncio
import inspect
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Never, Protocol

import structlog

from local.processes import Child, Server, tethered
from local.waiting import until

log = structlog.get_logger()

FIRST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 10.0
CALM_SECONDS = 30
MIGRATE_SECONDS = 120


class Kept(Protocol):
    """What can be kept running."""

    name: str

    def start(self) -> Awaitable[None] | None:
        """Start it, or raise and leave it as crashed as it was."""

    def crashed(self) -> bool:
        """Whether it ended although nobody here stopped it."""


class Service(Server):
    """A service as a process of its own; `prepare`, then its `migrate`, come before each start of its `serve`.

    `command` and `env` are those of the next start; `owner_env` is what `migrate` has instead, where another role does.
    """

    def __init__(  # noqa: PLR0913 - what it takes to run a service
        self,
        name: str,
        *,
        command: Sequence[str],
        prepare: Callable[[], Awaitable[object]],
        env: Mapping[str, str],
        folder: Path,
        owner_env: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(name, folder)
        self.log_file = folder / f"{name}.log"
        self.command = command
        self._prepare = prepare
        self.env = env
        self.owner_env = owner_env

    async def start(self) -> None:
        """Return once the process is there, which is before it answers; StartFailed when `migrate` fails."""
        await self._prepare()
        await self._migrate()
        self._child = self._run("serve", self.env)

    def _run(self, subcommand: str, env: Mapping[str, str]) -> Child:
        # SIGKILL, because a service that lost its launcher must not linger over requests; it survives a crash anyway.
        return Child(tethered([*self.command, subcommand], last_signal="KILL"), self.log_file, env=env)

    async def _migrate(self) -> None:
        child = self._run("migrate", self.owner_env or self.env)
        try:
            await until(
                lambda: child.exit_code() is not None, seconds=MIGRATE_SECONDS, message=f"{self.name} migrate goes on"
            )
        finally:
            child.kill()
        child.wait(f"{self.name} migrate")


async def keep_running(kept: Kept) -> Never:
    """Start it again whenever it has crashed; every crash and every start that failed is logged."""
    delay = FIRST_DELAY_SECONDS
    while True:
        since = time.monotonic()
        await until(kept.crashed, seconds=math.inf)
        delay = FIRST_DELAY_SECONDS if time.monotonic() - since > CALM_SECONDS else delay
        log.warning("process_crashed", process=kept.name, restart_in_seconds=delay)
        await asyncio.sleep(delay)
        delay = min(2 * delay, LONGEST_DELAY_SECONDS)
        if kept.crashed():
            await _start_again(kept)


@asynccontextmanager
async def supervised(many: Sequence[Kept]) -> AsyncIterator[None]:
    """Keep all of them running while the block runs."""
    keepers = [asyncio.create_task(keep_running(kept), name=f"keep {kept.name}") for kept in many]
    try:
        yield
    finally:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)


async def _start_again(kept: Kept) -> None:
    try:
        starting = kept.start()
        if inspect.isawaitable(starting):
            await starting
    except Exception as reason:  # noqa: BLE001 - whatever hindered this start is told, and the next one is tried
        log.warning("start_failed", process=kept.name, reason=str(reason))
    else:
        log.info("process_started_again", process=kept.name)
