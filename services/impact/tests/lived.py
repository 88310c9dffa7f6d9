"""A database in which something was lived once, and of which every test gets a copy."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from chassis.database import Pool, create_pool
from chassis.migrate import HTTP, component_of
from local.fixtures import Templates
from local.postgres import run_apart


@contextmanager
def lived_through(templates: Templates, live: Callable[[Pool], Awaitable[object]]) -> Iterator[str]:
    """The DSN of a database of impact in which that was lived; nobody is connected to it."""

    async def lived() -> None:
        async with await create_pool(dsn, name="test") as pool:
            await live(pool)

    with templates.copied(HTTP, component_of("impact")) as dsn:
        run_apart(lived())
        yield dsn


@asynccontextmanager
async def copy_of(lived: str, templates: Templates) -> AsyncIterator[Pool]:
    """Connections to a copy of it."""
    with templates.copy_of(lived) as dsn:
        async with await create_pool(dsn, name="test") as pool:
            yield pool
