"""Machines beside the virtual Pis, each with an address of its own: network namespaces on their bridge."""

import contextlib
import ipaddress
import json
import random
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lanpi.virtual.network import BRIDGE, FIRST_HOST

ROOT = Path(__file__).parents[2]


class Neighbour:
    """One of them."""

    def __init__(self, name: str, address: str) -> None:
        self.name = name
        self.address = address

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Have it do something of door_peer."""
        return subprocess.Popen(
            ["ip", "netns", "exec", self.name, sys.executable, "-m", "tests.e2e.door_peer", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip

    def does(self, *arguments: str, timeout_seconds: float = 120) -> Any:
        """The same, and what came of it."""
        return result(self.start(*arguments), timeout_seconds)


def result(process: "subprocess.Popen[str]", timeout_seconds: float = 120) -> Any:
    """What a neighbour's program printed."""
    out, error = process.communicate(timeout=timeout_seconds)
    assert process.returncode == 0, error
    return json.loads(out)


@contextlib.contextmanager
def neighbour(pi_address: str) -> Iterator[Neighbour]:
    """A machine on the Pis' network, gone again afterwards."""
    network = ipaddress.ip_network(f"{pi_address}/24", strict=False)
    name = f"lanpi-t{secrets.token_hex(3)}"
    outer, inner = f"v{name[-6:]}o", f"v{name[-6:]}i"
    address = _free_address([str(network[n]) for n in range(2, FIRST_HOST)])
    commands = (
        f"ip netns add {name}",
        f"ip link add {outer} type veth peer name {inner} netns {name}",
        f"ip link set {outer} master {BRIDGE} up",
        f"ip -n {name} address add {address}/24 dev {inner}",
        f"ip -n {name} link set {inner} up",
        f"ip -n {name} link set lo up",
    )
    try:
        for command in commands:
            subprocess.run(command.split(), check=True, capture_output=True)
        yield Neighbour(name, address)
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


def _free_address(candidates: list[str]) -> str:
    """One that nobody has: other tests put machines there, too."""
    random.shuffle(candidates)
    taken = subprocess.run(
        ["ip", "-all", "netns", "exec", "ip", "-o", "-4", "address", "show"], capture_output=True, text=True, check=True
    ).stdout
    return next(address for address in candidates if f" {address}/" not in taken)
