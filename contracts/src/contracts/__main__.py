"""Write what follows from the models: `python -m contracts [ROOT]`, the repository's folder.

Schemas in `contracts/schemas`, the AsyncAPI document, and the page for people.
"""

import json
import sys
from pathlib import Path
from typing import Any

from contracts.asyncapi import document
from contracts.catalogue import published
from contracts.page import page
from contracts.released import text_of


def generated(root: Path) -> dict[Path, str]:
    """The text of every generated file. Examples are taken from `contracts/examples`."""
    contracts = root / "contracts"
    schemas = {contracts / "schemas" / f"{name}.json": text_of(schema) for name, schema in published().items()}
    return schemas | {
        contracts / "asyncapi.json": text_of(document(examples=examples(contracts / "examples"))),
        root / "docs" / "events.md": page(),
    }


def examples(folder: Path) -> dict[str, Any]:
    """The examples of a folder by file stem."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


if __name__ == "__main__":
    for path, text in generated(Path(*sys.argv[1:])).items():
        path.write_text(text, encoding="utf-8")
