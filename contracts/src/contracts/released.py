"""The released schemas: a folder per version, never edited, held to their checksums."""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from contracts.compat import Schemas, differences

CHECKSUMS = "CHECKSUMS"
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", re.ASCII)


class ReleasesRefused(Exception):
    """The released schemas cannot be read, were edited, or may not be added to; the text says why, one line each."""


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """Every released schema by version, oldest first, and file stem. Raises ReleasesRefused."""
    if not (folder / CHECKSUMS).is_file():
        raise ReleasesRefused(f"{folder} holds no {CHECKSUMS}: name the folder of the released schemas with --folder.")
    _unedited(folder)
    versions = sorted((path.name for path in folder.iterdir() if path.is_dir()), key=_order)
    return {version: {path.stem: _parsed(path) for path in _files(folder / version)} for version in versions}


def release(folder: Path, version: str, current: Schemas) -> None:
    """Add today's schemas as a release. Raises ReleasesRefused unless it is newer than, and fits, all others."""
    releases = read(folder)
    newest = next(reversed(releases), None)
    if newest and _order(version) <= _order(newest):
        raise ReleasesRefused(f"{version} is not newer than {newest}: choose a higher version.")
    if found := differences(current, releases):
        raise ReleasesRefused("\n".join(map(str, found)))
    target = folder / version
    target.mkdir()
    for name, schema in current.items():
        (target / f"{name}.json").write_text(text_of(schema), encoding="utf-8")
    with (folder / CHECKSUMS).open("a", encoding="utf-8") as checksums:
        checksums.writelines(_lines(folder, _files(target)))


def text_of(document: Any) -> str:
    """How a generated document is written."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _unedited(folder: Path) -> None:
    noted = set((folder / CHECKSUMS).read_text(encoding="utf-8", errors="replace").splitlines(keepends=True))
    found = set(_lines(folder, sorted(folder.glob("*/*"))))
    if edited := sorted({line.split(maxsplit=1)[-1].strip() for line in noted ^ found if line.strip()}):
        raise ReleasesRefused(
            "\n".join(f"{name}: is not what was released; a released schema stays as it is" for name in edited)
        )


def _lines(folder: Path, files: Iterable[Path]) -> list[str]:
    """As `sha256sum` writes and checks them."""
    return [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(folder)}\n" for file in files]


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))


def _parsed(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise ReleasesRefused(f"{path} is no JSON in UTF-8.") from None


def _order(version: str) -> tuple[int, ...]:
    if not (parts := VERSION.fullmatch(version)):
        raise ReleasesRefused(f"{version} is no version: it must look like 0.2.0.")
    return tuple(map(int, parts.groups()))
