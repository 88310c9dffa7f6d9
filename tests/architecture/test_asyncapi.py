"""Every service shows which events it sends and receives, by the streams that are provisioned for it."""

from importlib import import_module
from pathlib import Path
from typing import get_type_hints

import httpx
import pytest

from contracts.asyncapi import document

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.parent.name for path in ROOT.glob("services/*/src/*/app.py"))


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_shows_its_part_of_the_document(service: str) -> None:
    build_app = import_module(f"{service}.app").build_app
    settings = get_type_hints(build_app)["settings"]
    app = build_app(settings(database_url="postgresql:///", nats_url="nats://nowhere", port=0))

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        answer = await client.get("/asyncapi.json")

    assert answer.json() == document(service)
    assert answer.json()["operations"]
