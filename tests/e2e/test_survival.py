"""What is accepted is counted once, whatever dies, forgets or comes back."""

import random
import shutil

import pytest

from local.nats import NatsServer
from local.postgres import OwnPostgres
from local.waiting import until
from tests.e2e.conftest import STREAM, Town

# One stack lives through it all, and after each every row is compared; processes take seconds to return.
pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("survival"), pytest.mark.asyncio(loop_scope="module")]


def server_of(town: Town) -> NatsServer:
    assert isinstance(town.stack.nats, NatsServer)
    return town.stack.nats


async def test_a_flexjob_becomes_a_figure(town: Town) -> None:
    await town.start_flexjobs(3)

    await town.until_figures_are_right()
    await town.check_the_books()


async def test_the_broker_is_killed_and_restarted_under_load(town: Town) -> None:
    async with town.under_load(400):
        for _ in range(4):
            await town.until_started(more=60)
            await town.crash(server_of(town))

    await town.until_figures_are_right()
    await town.check_the_books()


async def test_the_broker_forgets_what_it_had_acknowledged(town: Town) -> None:
    server, backup = server_of(town), town.stack.folder / "older"
    await town.start_flexjobs(100)
    await town.until_figures_are_right()
    kept = await town.messages()
    server.stop()
    shutil.copytree(server.store_dir, backup)
    server.start()
    await town.start_flexjobs(150)
    await town.until_figures_are_right()
    acknowledged = await town.messages()
    assert acknowledged >= kept + 150
    found = await town.losses_found()

    server.kill()
    shutil.rmtree(server.store_dir)
    shutil.copytree(backup, server.store_dir)
    server.start()

    # Nobody asks for anything: the next heartbeat finds the lost tail.
    await until(lambda: holds(town, acknowledged), seconds=60, message="the lost tail is not published again")
    assert await town.losses_found() > found
    await town.start_flexjobs(50)
    await town.until_figures_are_right()
    await town.check_the_books()


async def holds(town: Town, count: int) -> bool:
    return await town.messages() >= count


async def test_the_durable_is_deleted_under_a_running_impact(town: Town) -> None:
    await town.start_flexjobs(50)
    await town.until_figures_are_right()
    impact = town.stack.services["impact"]
    before = impact.pid

    async with town.at_the_broker() as jetstream:
        await jetstream.delete_consumer(STREAM.name, "impact")
    await town.start_flexjobs(50)

    await town.until_figures_are_right(seconds=90)
    assert impact.pid != before, "impact must notice that it is deaf, and be started again"
    await town.check_the_books()


@pytest.mark.parametrize("service", ["impact", "flexjob_pool"])
async def test_a_service_is_killed_again_and_again_under_load(town: Town, service: str) -> None:
    dice = random.Random(service)  # noqa: S311 - repeatable load, no secret
    async with town.under_load(300):
        for _ in range(5):
            await town.until_started(more=dice.randint(1, 60))
            await town.crash(town.stack.services[service])

    await town.until_figures_are_right()
    await town.check_the_books()


async def test_the_database_is_killed_under_load(town: Town) -> None:
    assert isinstance(town.stack.postgres, OwnPostgres)
    async with town.under_load(200):
        for _ in range(2):
            await town.until_started(more=60)
            await town.crash(town.stack.postgres)

    await town.until_figures_are_right(seconds=90)
    await town.check_the_books()
