"""A small disk of a folder's own, and what fills it to the last byte."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MEBIBYTE = 2**20
BLOCK = 4096


def no_disk() -> str | None:
    """Why this machine mounts none; None when it does."""
    if os.geteuid() != 0:
        return "to mount a small disk takes root"
    apart = ("unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt")
    told = subprocess.run(apart, capture_output=True, check=False)  # noqa: S603 - own argv
    return "this machine mounts no tmpfs" if told.returncode else None


@contextmanager
def disk_under(folder: Path, *, megabytes: int) -> Iterator[None]:
    """The folder lies on a disk of its own while the block runs; what it holds is gone after that."""
    folder.mkdir(parents=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "kraftcenter", str(folder))
    try:
        yield
    finally:
        _run("umount", str(folder))


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """The disk of the folder has no byte left while the block runs, unless somebody gives some back."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (MEBIBYTE, BLOCK, 1):
            with suppress(OSError):
                while True:
                    file.write(b"\0" * size)
    try:
        yield
    finally:
        ballast.unlink()


def _run(*command: str) -> None:
    subprocess.run(command, check=True)  # noqa: S603 - own argv
