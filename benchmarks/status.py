"""How long ``lanpi status`` takes, against a bare ``ssh target true`` in the same run.

Run as root: python benchmarks/status.py [--runs N] [--target virtual:NAME]. Without a target it makes a virtual
Pi, installs on it and takes it down again; with one, lanpi has to be installed there. The two are run in turn, so
that other work on this machine slows both.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lanpi import virtual
from lanpi.virtual import VirtualPi

MODEL = "4-2g"
NAME = "benchst"
LIMIT_SECONDS = 1.0
STATUSES = (0, 1, 2)
"""lanpi status ends with these when it has seen the Pi, well or not."""


def seconds(argv: list[str], allowed: tuple[int, ...] = (0,)) -> float:
    """How long a command takes.

    Raises:
        SystemExit: it failed.
    """
    began = time.monotonic()
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode not in allowed:
        sys.exit(f"{argv}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return time.monotonic() - began


@contextmanager
def installed(name: str) -> Iterator[VirtualPi]:
    """The virtual Pi of that name; without a name a new one with lanpi on it, taken down at the end."""
    if name:
        yield virtual.get(name)
        return
    pi = virtual.up(NAME, model=MODEL)
    try:
        subprocess.run([sys.executable, "-m", "lanpi", "install", f"virtual:{pi.name}"], check=True)
        yield pi
    finally:
        virtual.down(pi.name)


def main() -> int:
    """Print the medians; exit status 1 when the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--target", default="", help="virtual:NAME")
    options = parser.parse_args()
    with installed(options.target.removeprefix("virtual:")) as pi:
        ssh = ["ssh", "-q", "-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i", pi.key_path,
               "-o", f"UserKnownHostsFile={pi.known_hosts}", f"{pi.user}@{pi.address}", "true"]  # fmt: skip
        status = [sys.executable, "-m", "lanpi", "status", f"virtual:{pi.name}"]
        seconds(ssh)
        seconds(status, STATUSES)  # warms the page cache on both sides
        pairs = [(seconds(ssh), seconds(status, STATUSES)) for _ in range(options.runs)]
    print("run  ssh true   status")
    for number, (bare, whole) in enumerate(pairs, 1):
        print(f"{number:3}  {bare:6.2f} s  {whole:6.2f} s")
    bare, whole = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(one / other for other, one in pairs)
    good = whole <= LIMIT_SECONDS
    print(
        f"{'ok     ' if good else 'MISSED '}status {whole:.2f} s at most {LIMIT_SECONDS:.1f}, "
        f"ssh true {bare:.2f} s, ratio {ratio:.1f} (medians of {len(pairs)})"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
