"""Resources as JSON documents, and the names they are locked and looked up by."""

from collections.abc import Iterable
from functools import cache
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from flexjob_pool.domain.case import Place, Resource
from flexjob_pool.domain.rulebook import RESOURCES

Document = dict[str, Any]


def name_of(noun: str, key: UUID | str) -> str:
    """As `flexjob:5b0e6a2c-…`."""
    return f"{noun}:{key}"


def names_of(places: Iterable[Place]) -> set[str]:
    """The names of (noun, key) pairs."""
    return {name_of(*place) for place in places}


def document_of(resource: Resource) -> Document:
    """A resource as it is stored and answered."""
    document: Document = _adapter(type(resource)).dump_python(resource, mode="json")
    return document


def resource_of(noun: str, document: Document) -> Resource:
    """The resource that a document holds."""
    return _adapter(RESOURCES[noun]).validate_python(document)


@cache
def _adapter(kind: type[Resource]) -> TypeAdapter[Resource]:
    return TypeAdapter(kind)
