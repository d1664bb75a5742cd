"""Downloaded packages, shared between virtual Pis so that each is fetched once.

They are hard links into each Pi's own /var/cache/apt/archives rather than one shared folder: apt
holds a lock in that folder, and two Pis installing at once would stop each other.
"""

import os
import shutil
import time
from pathlib import Path

from lanpi.virtual.record import CACHE, VirtualPi

KEEP_SECONDS = 30 * 24 * 3600
_INSIDE = "var/cache/apt/archives"


def _store(suite: str) -> Path:
    return CACHE / f"{suite}-archives"


def _upper(pi: VirtualPi) -> Path:
    return pi.folder / "disk/upper" / _INSIDE


def _link(source: Path, target: Path) -> None:
    """A hard link, or a copy across file systems; complete or not there at all."""
    if target.exists():
        return
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        os.link(source, temporary)
    except OSError:
        shutil.copy2(source, temporary)
    temporary.replace(target)


def harvest(pi: VirtualPi) -> None:
    """Take what a Pi downloaded into the store; what apt still downloads is in partial/ and left out."""
    store = _store(pi.suite)
    store.mkdir(parents=True, exist_ok=True)
    for package in _upper(pi).glob("*.deb"):
        try:
            _link(package, store / package.name)
        except FileNotFoundError:  # the Pi runs and cleaned its cache meanwhile
            continue


def seed(pi: VirtualPi) -> None:
    """Give a Pi that was never started all packages in the store; drop those unused for long."""
    inside = pi.root / _INSIDE
    inside.mkdir(parents=True, exist_ok=True)
    target = _upper(pi) if _upper(pi).is_dir() else inside
    for package in _store(pi.suite).glob("*.deb"):
        # The inode's change time moves with every link made: the last time a Pi was given it.
        if time.time() - package.stat().st_ctime > KEEP_SECONDS:
            package.unlink()
        else:
            _link(package, target / package.name)
