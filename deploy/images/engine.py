"""A container engine where no registry can be reached: Debian's buildah and podman, and a stand-in for a base image.

Needs root on Debian. Everything is kept outside the project, in KRAFTCENTER_IMAGES.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
STORE = Path(os.environ.get("KRAFTCENTER_IMAGES", "/var/tmp/kraftcenter-images"))  # noqa: S108 - root's own, and large
PACKAGES = ("buildah", "podman", "runc", "debootstrap", "ca-certificates")
IN_THE_BASE = "python3,python3-pip,ca-certificates"
STORAGE = """\
[storage]
driver = "{driver}"
graphroot = "{store}/storage"
runroot = "{store}/run"
"""
ENGINE = """\
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[engine.runtimes]
runc = ["{runc}"]
"""


class Refused(Exception):
    """The engine did not do what it was told; the text has its words."""


def run(*command: str | Path) -> str:
    """What a command prints, on the store of this engine. Raises Refused."""
    told = {"CONTAINERS_STORAGE_CONF": STORE / "storage.conf", "CONTAINERS_CONF": STORE / "containers.conf"}
    environment = {**os.environ, **{name: str(value) for name, value in told.items()}}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def prepare() -> str:
    """Install what is missing and make the base of our Dockerfiles; the name of that. Raises Refused."""
    if os.geteuid():
        raise Refused("Only root can build a base and run containers: sudo make images")
    if not all(shutil.which(program) for program in ("buildah", "podman", "runc", "debootstrap")):
        run("apt-get", "--quiet=2", "update")
        run("apt-get", "--quiet=2", "install", "--yes", "--no-install-recommends", *PACKAGES)
    STORE.mkdir(parents=True, exist_ok=True)
    (STORE / "storage.conf").write_text(STORAGE.format(store=STORE, driver="overlay" if _may_overlay() else "vfs"))
    (STORE / "containers.conf").write_text(ENGINE.format(runc=ROOT / "deploy" / "images" / "runc"))
    found = re.search(r"^FROM (\S+)", (ROOT / "services" / "impact" / "Dockerfile").read_text(), re.MULTILINE)
    assert found
    base = f"docker.io/library/{found[1]}"
    if not run("buildah", "images", "--quiet", "--filter", f"reference={base}"):
        _make_base(base)
    return base


def _may_overlay() -> bool:
    """Whether layers may lie over each other here; else each is a whole copy, which takes its time and gigabytes."""
    with tempfile.TemporaryDirectory(dir=STORE) as folder:
        lower, upper, work, merged = (Path(folder) / name for name in ("lower", "upper", "work", "merged"))
        for each in (lower, upper, work, merged):
            each.mkdir()
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        mounted = subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", merged], check=False)
        if mounted.returncode == 0:
            run("umount", merged)
        return mounted.returncode == 0


def _make_base(name: str) -> None:
    """Debian with its Python and its pip where the image that it stands for has them."""
    tree = STORE / "base"
    shutil.rmtree(tree, ignore_errors=True)
    run("debootstrap", "--variant=minbase", f"--include={IN_THE_BASE}", "bookworm", tree)
    for program in ("python", "python3"):
        (tree / "usr" / "local" / "bin" / program).symlink_to("/usr/bin/python3")
    # pip may install here, as it may in the image.
    [managed] = (tree / "usr" / "lib").glob("python3.*/EXTERNALLY-MANAGED")
    managed.unlink()
    packages = tree / "usr" / "local" / "lib" / managed.parent.name / "dist-packages"
    packages.mkdir(parents=True, exist_ok=True)
    for file in (tree / "usr" / "lib" / "python3" / "dist-packages").glob("pip*"):
        shutil.move(file, packages / file.name)
    for file in (tree / "usr" / "bin").glob("pip*"):
        shutil.move(file, tree / "usr" / "local" / "bin" / file.name)
    container = run("buildah", "from", "scratch").strip()
    run("buildah", "add", "--quiet", container, tree, "/")
    run("buildah", "commit", "--quiet", "--rm", container, name)
    shutil.rmtree(tree)
