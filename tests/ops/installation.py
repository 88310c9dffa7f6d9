"""An installation as `deploy/compose.yaml` makes it, but of processes: the same secrets, roles and users."""

import asyncio
import os
import secrets as random
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from local.instances import MUNICIPALITY, SERVICES, instances_of
from local.nats import NatsServer
from local.postgres import OwnPostgres
from local.processes import free_ports, kraftcenter
from local.stack import Stack, issue_tokens, register_payroll
from local.supervisor import Service, supervised
from tests.ops.cluster import ROOT, Cluster, output_of, settings

# What a service had in hand when it was replaced is delivered again as soon.
ACK_WAIT_SECONDS = 2


class InstalledNats(NatsServer):
    """A nats-server with `deploy/nats/nats.conf` and the users that were made for an installation."""

    def __init__(self, folder: Path, secrets: Path) -> None:
        super().__init__(folder)
        self._secrets = secrets

    def start(self) -> None:
        """Return once it answers; PortTaken or StartFailed else."""
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(self._secrets / "nats_users.conf", self.folder / "users.conf")
        super().start()

    def url_of(self, user: str, *, password: str | None = None) -> str:
        """Where a user connects, with the password that was made unless another is given."""
        given = urlsplit((self._secrets / f"{user}_nats_url").read_text().strip())
        return f"nats://{user}:{password or given.password}@127.0.0.1:{self.port}"

    def _config(self) -> str:
        """The file, with the places that are this server's."""
        return (
            (ROOT / "deploy" / "nats" / "nats.conf")
            .read_text(encoding="utf-8")
            .replace("0.0.0.0:4222", f"127.0.0.1:{self.port}")
            .replace("0.0.0.0:8222", f"127.0.0.1:{self.monitor_port}")
            .replace("/data", str(self.store_dir))
        )


@asynccontextmanager
async def installed(
    folder: Path, secrets: Path, *, commands: Mapping[str, Sequence[str]], variables: Mapping[str, str]
) -> AsyncIterator[Stack]:
    """The services, each started by its command, migrated by its owner, run by its role; ready inside the block.

    `database_urls` are those of the roles that run them.
    """
    postgres, nats = OwnPostgres(folder / "postgres"), InstalledNats(folder / "nats", secrets)
    cluster = Cluster(postgres, secrets)
    ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    token = f"kc_{random.token_urlsafe(32)}"
    async with AsyncExitStack() as running:
        for server in (postgres, nats):
            server.start()
            running.callback(server.stop)
        cluster.set_up()
        provision = [kraftcenter(), "provision", "--ack-wait-seconds", str(ACK_WAIT_SECONDS)]
        output_of(provision, {"NATS_URL": nats.url_of("provision")})
        services = {}
        for name in SERVICES:
            told = {
                role: {
                    **os.environ,
                    **settings(name, cluster.dsn_of(role), nats_url=nats.url_of(name), port=ports[name]),
                }
                for role in (name, f"{name}_owner")
            }
            services[name] = Service(
                name,
                command=commands[name],
                prepare=_nothing,
                env={**told[name], **variables},
                owner_env={**told[f"{name}_owner"], **variables},
                folder=folder,
            )
            await services[name].start()
            running.push_async_callback(asyncio.to_thread, services[name].stop)
        instances = instances_of(SERVICES, [MUNICIPALITY])
        databases = {name: cluster.dsn_of(name) for name in SERVICES}
        for instance in instances:
            given = {MUNICIPALITY: token}
            await issue_tokens(instance, databases[instance.name], given, SERVICES, variables["CLOCK"])
            if instance.service == "gateway":
                await register_payroll(instance, databases[instance.name])
        nats.url = nats.url_of("provision")
        stack = Stack(folder, postgres, nats, instances, services, databases, ports, {MUNICIPALITY: token})
        await stack.until_ready()
        await running.enter_async_context(supervised([postgres, nats, *services.values()]))
        yield stack


async def _nothing() -> None:
    """Streams are there already."""
