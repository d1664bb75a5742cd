"""How long an install takes, as ratios in one run: against the bare apt-get on the same model of virtual Pi.

Run as root: python benchmarks/install.py [--runs N]. Makes two virtual Pis a run and takes them down again.
The package mirror is warm: the packages were downloaded once before the first run.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from lanpi import virtual
from lanpi.config.model import Config
from lanpi.deploy.desired import desired_state
from lanpi.facts.read import read_facts
from lanpi.hosts import ConnectOptions, open_host, parse_target
from lanpi.tuning.decide import plan_limits
from lanpi.virtual import VirtualPi, container

MODEL = "4-2g"
FRESH_LIMIT, HELP_LIMIT_SECONDS = 1.25, 0.3
AGAIN_LIMIT_SECONDS = 1.5
"""A second install over ``ssh target true`` and the proof in it."""
PROOF = "Sending a message between two accounts"
HELP_RUNS = AGAIN_RUNS = 10


def seconds(work: Callable[[], object]) -> float:
    """How long a call takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def lanpi(*arguments: str) -> None:
    """The command as a user runs it."""
    subprocess.run([sys.executable, "-m", "lanpi", *arguments], check=True, capture_output=True)


def bare(pi: VirtualPi, sources: list[tuple[str, str]], packages: tuple[str, ...]) -> float:
    """apt-get update and install of the same packages from the same sources, started over nothing."""
    for path, content in sources:
        container.inside(pi, ["sh", "-c", f"cat > {path} <<'END'\n{content}\nEND"])
    script = (
        "export DEBIAN_FRONTEND=noninteractive; apt-get update -q && "
        f"apt-get install -y -q --no-install-recommends {' '.join(packages)}"
    )
    return seconds(lambda: container.inside(pi, ["sh", "-c", script], timeout_seconds=900))


def again(target: str) -> tuple[float, float]:
    """Seconds of an install with nothing to do, and of the proof in it.

    Raises:
        SystemExit: it failed, or had something to do.
    """
    argv = [sys.executable, "-m", "lanpi", "install", target, "--json"]
    began = time.monotonic()
    proof = 0.0
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        assert running.stdout is not None
        step, since, last = "", began, {}
        for line in running.stdout:
            last = json.loads(line)
            if last["event"] == "step":
                step, since = last["step"], time.monotonic()
            elif last["event"] == "done" and step == PROOF:
                proof = time.monotonic() - since
    whole = time.monotonic() - began
    if running.returncode != 0 or last.get("changed"):
        sys.exit(f"the second install ended with {running.returncode} and changed {last.get('changed')}")
    return whole, proof


def second(pi: VirtualPi) -> tuple[float, float, float]:
    """Medians of a second install, the proof in it, and of ``ssh true``, taken in turn; seconds."""
    ssh = ["ssh", "-q", "-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i", pi.key_path,
           "-o", f"UserKnownHostsFile={pi.known_hosts}", f"{pi.user}@{pi.address}", "true"]  # fmt: skip
    rows = []
    for _ in range(AGAIN_RUNS):
        bare_ssh = seconds(lambda: subprocess.run(ssh, check=True))
        rows.append((*again(f"virtual:{pi.name}"), bare_ssh))
    whole, proof, bare_ssh = (statistics.median(column) for column in zip(*rows, strict=True))
    return whole, proof, bare_ssh


def one_run(number: int) -> tuple[float, float, tuple[float, float, float]]:
    """Seconds of the bare install, of lanpi's, and what :func:`second` tells."""
    plain, fresh = (virtual.up(f"bench{number}{letter}", model=MODEL) for letter in "ab")
    try:
        with open_host(parse_target(f"virtual:{fresh.name}"), ConnectOptions()) as host:
            facts = read_facts(host, root=True)
        config = Config()
        desired = desired_state(facts, config, plan_limits(facts, config), f"{fresh.name}.local")
        sources = [(file.path, file.content) for file in desired.early_files]
        floor = bare(plain, sources, desired.packages)
        first = seconds(lambda: lanpi("install", f"virtual:{fresh.name}"))
        repeated = second(fresh)
    finally:
        for pi in (plain, fresh):
            virtual.down(pi.name)
    return floor, first, repeated


def help_over_python() -> float:
    """Seconds of ``lanpi --help`` over ``python -c pass``, medians of interleaved runs."""
    pairs = []
    for _ in range(HELP_RUNS):
        nothing = seconds(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True))
        pairs.append(seconds(lambda: lanpi("--help")) - nothing)
    return statistics.median(pairs)


def main() -> int:
    """Print the table; exit status 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2)
    runs = parser.parse_args().runs
    one_run(0)  # warms the mirror and the page cache
    rows = [one_run(number) for number in range(1, runs + 1)]
    fresh = statistics.median(first / floor for floor, first, _ in rows)
    extra = help_over_python()
    print("run  apt-get  install  second  its proof  ssh true")
    for number, (floor, first, (whole, proof, bare_ssh)) in enumerate(rows, 1):
        print(f"{number:3}  {floor:6.1f}s  {first:6.1f}s  {whole:5.2f}s  {proof:8.2f}s  {bare_ssh:7.2f}s")
    over = statistics.median(whole - proof - bare_ssh for _, _, (whole, proof, bare_ssh) in rows)
    checks = [
        (f"fresh install / apt-get     {fresh:5.2f}   at most {FRESH_LIMIT}", fresh <= FRESH_LIMIT),
        (
            f"second, less proof and ssh  {over:5.2f} s at most {AGAIN_LIMIT_SECONDS}",
            over <= AGAIN_LIMIT_SECONDS,
        ),
        (f"lanpi --help over python    {extra:5.2f} s at most {HELP_LIMIT_SECONDS}", extra <= HELP_LIMIT_SECONDS),
    ]
    for text, good in checks:
        print(("ok     " if good else "MISSED ") + text)
    return 0 if all(good for _, good in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
