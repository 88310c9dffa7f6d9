"""Write every dashboard as JSON: `python -m dashboards [FOLDER]`, by default deploy/grafana/json."""

import sys
from collections.abc import Iterator
from pathlib import Path

from dashboards import fleksjobpulje, nats, pipeline, postgresql, programme, sources, trust
from dashboards.boards import Board

FOLDER = Path("deploy/grafana/json")


def boards() -> Iterator[Board]:
    """Every dashboard."""
    for module in (programme, fleksjobpulje, trust, pipeline, sources, nats, postgresql):
        yield module.board()


def files() -> dict[Path, str]:
    """What each file says, by its place; the folder is the one in Grafana."""
    return {Path(board.folder) / f"{board.uid}.json": board.text() for board in boards()}


def main(folder: Path = FOLDER) -> None:
    """Write them, and remove what is a dashboard no longer."""
    wanted = {folder / name: text for name, text in files().items()}
    for old in {*folder.glob("*/*.json")} - wanted.keys():
        old.unlink()
    for file, text in wanted.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
