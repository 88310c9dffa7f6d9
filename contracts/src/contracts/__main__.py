"""Write the golden schemas: `python -m contracts FOLDER`. A released schema changes only by addition."""

import json
import sys
from pathlib import Path

from contracts.catalogue import EVENTS, schema_of


def write_schemas(folder: Path) -> None:
    """Write one schema file per event type and major version."""
    for event in EVENTS:
        text = json.dumps(schema_of(event), indent=2, ensure_ascii=False) + "\n"
        (folder / f"{event.contract.file_stem}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
