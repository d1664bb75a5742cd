"""How long a login takes while another address opens as many connections as it can, on each of the ports.

Run as root: python -m benchmarks.door [--target virtual:NAME]. Without a target it makes a virtual Pi, installs on it
and takes it down again. The attack comes from a machine beside the Pi (a network namespace on the virtual Pis' bridge),
opens COUNT connections at the most and lets go of them after SECONDS; the logins come from another one. Each port is
attacked in turn, and a login without any attack is measured before it, in the same run.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

from benchmarks.status import installed
from lanpi.virtual import VirtualPi
from tests.e2e.neighbours import Neighbour, neighbour, result

PORTS = (5222, 5223, 443)
COUNT, SECONDS, SETTLE_SECONDS = 13_122, 20, 8
LIMIT_SECONDS = 1.0
ACCOUNT = "door"


def main() -> int:
    """Print a line for each attacked port; exit status 1 when somebody waited longer than the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="", help="virtual:NAME")
    options = parser.parse_args()
    slowest = 0.0
    with (
        installed(options.target.removeprefix("virtual:")) as pi,
        tempfile.TemporaryDirectory() as folder,
        neighbour(pi.address) as attacker,
        neighbour(pi.address) as other,
    ):
        login = account(pi, folder)
        print("attacked   held   login on 5222     5223      443   (quiet: 5222     5223      443)")
        for port in PORTS:
            quiet = logins(pi, other, login)
            attack = attacker.start(
                "crowd", pi.address, "--port", str(port), "--times", str(COUNT), "--seconds", str(SECONDS)
            )
            time.sleep(SETTLE_SECONDS)
            under = logins(pi, other, login)
            held = result(attack)["held"]
            shown = "  ".join(f"{each:5.2f} s" for each in under)
            print(f"{port:8}  {held:5}         {shown}   ({'  '.join(f'{each:5.2f} s' for each in quiet)})")
            slowest = max(slowest, *under)
        subprocess.run([*LANPI, "user", "remove", ACCOUNT, f"virtual:{pi.name}", "--yes"], check=True)
    good = slowest <= LIMIT_SECONDS
    print(f"{'ok     ' if good else 'MISSED '}slowest login {slowest:.2f} s, at most {LIMIT_SECONDS:.1f}")
    return 0 if good else 1


LANPI = (sys.executable, "-m", "lanpi")


def account(pi: VirtualPi, folder: str) -> Sequence[str]:
    """An account of this run's; the arguments with which a neighbour logs in to it."""
    target, password, ca = f"virtual:{pi.name}", f"{folder}/password", f"{folder}/ca.crt"
    add = [*LANPI, "user", "add", ACCOUNT, target, "--generate", "--password-file", password]
    subprocess.run(add, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*LANPI, "ca", target, "--output", ca], check=True, stdout=subprocess.DEVNULL)
    return ("--domain", f"{pi.name}.local", "--ca", ca, "--name", ACCOUNT, "--password-file", password)


def logins(pi: VirtualPi, other: Neighbour, login: Sequence[str]) -> list[float]:
    """Seconds that a login takes on each port.

    Raises:
        SystemExit: one was refused.
    """
    took = []
    for port in PORTS:
        found = other.does("login", pi.address, *login, "--port", str(port))
        if found["error"] is not None:
            sys.exit(f"the login on {port} failed: {found['error']}")
        took.append(found["seconds"])
    return took


if __name__ == "__main__":
    sys.exit(main())
