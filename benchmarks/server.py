"""lanpi's server against Debian's default ejabberd and Prosody, on virtual Pis of 1 GB, as ratios in one run.

Run as root: python benchmarks/server.py [--sessions N] [--idle-minutes M] [--only-lanpi]
Makes a virtual Pi for each and takes them down again. Logs in over TLS with each server's best SCRAM and with
PLAIN, rests, sends messages, and reads memory (PSS), processor time and bytes written of the server's process.
lanpi archives every message on the card, Debian's defaults archive none: a third load shows lanpi without it.
"""

import argparse
import contextlib
import sys
from dataclasses import dataclass
from typing import Any

from pis import Serving, idle_bytes_per_hour, load, restart, serving, shell

NO_ARCHIVE = "sed -i '/^  mod_mam:/,/^    user_mucsub/d' /etc/ejabberd/ejabberd.yml"
MIB, KB = 2**20, 1000
PROSODY_SESSIONS = 900
"""Its unit in Debian allows 1,024 open files: from the 1,001st session on, logins fail."""


@dataclass(frozen=True)
class Figure:
    """One line of the table: its name, unit, and how much of Debian's ejabberd lanpi may take."""

    key: str
    title: str
    limit: float | None


FIGURES = (
    Figure("rest", "memory at rest, MB", 0.7),
    Figure("session_scram", "memory a session after SCRAM, KB", None),
    Figure("session_plain", "memory a session after PLAIN, KB", None),
    Figure("login_scram", "processor a login with SCRAM, ms", None),
    Figure("login_plain", "processor a login with PLAIN, ms", 1.0),
    Figure("message", "processor a thousand messages, s", None),
    Figure("message_like", "processor a thousand messages, nothing archived, s", 0.8),
    Figure("p99", "99th percentile of delivery, ms", None),
    Figure("p99_like", "99th percentile of delivery, nothing archived, ms", 1.0),
    Figure("written", "written a message, KB", None),
    Figure("idle", "written an idle hour, KB", 0.25),
)


def one_server(target: Serving, sessions: int, rate: float) -> dict[str, float]:
    """All figures of one server but the idle writes."""
    if target.kind == "prosody":
        sessions = min(sessions, PROSODY_SESSIONS)
    messages = ["--messages-per-second", "100", "--seconds", "30"]
    logins = ["--logins-per-second", str(rate)]
    restart(target)
    scram: Any = load(target, sessions, *logins, *messages)
    restart(target)
    plain: Any = load(target, sessions, *logins, "--mechanism", "PLAIN", *messages)
    like = scram
    if target.kind == "lanpi":
        kept = shell(target.pi, "cat /etc/ejabberd/ejabberd.yml")
        shell(target.pi, NO_ARCHIVE)
        restart(target)
        like = load(target, sessions, *logins, *messages)
        shell(target.pi, f"cat > /etc/ejabberd/ejabberd.yml <<'END'\n{kept}\nEND")
    restart(target)
    return {
        "rest": scram["server"]["before"]["pss_bytes"] / MIB,
        "session_scram": scram["per_session_bytes"] / KB,
        "session_plain": plain["per_session_bytes"] / KB,
        "login_scram": scram["login_cpu_ms"],
        "login_plain": plain["login_cpu_ms"],
        "message": scram["cpu_seconds_per_thousand_messages"],
        "message_like": like["cpu_seconds_per_thousand_messages"],
        "p99": scram["delivery_ms"]["p99"],
        "p99_like": like["delivery_ms"]["p99"],
        "written": scram["written_bytes_per_message"] / KB,
    }


def main() -> int:
    """Print the table; exit status 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=2000)
    parser.add_argument("--logins-per-second", type=float, default=60.0)
    parser.add_argument("--idle-minutes", type=float, default=10.0)
    parser.add_argument("--only-lanpi", action="store_true", help="no comparison: how far one Pi goes")
    options = parser.parse_args()
    kinds = ["lanpi"] if options.only_lanpi else ["debian", "prosody", "lanpi"]
    with contextlib.ExitStack() as stack:
        targets = [stack.enter_context(serving(kind, f"bench{kind}", options.sessions)) for kind in kinds]
        found = {target.kind: one_server(target, options.sessions, options.logins_per_second) for target in targets}
        if options.idle_minutes:
            for kind, written in idle_bytes_per_hour(targets, options.idle_minutes).items():
                found[kind]["idle"] = written / KB
    print(f"| {options.sessions} sessions | {' | '.join(kinds)} | lanpi / debian | at most |")
    print(f"|---|{'---:|' * (len(kinds) + 2)}")
    missed = False
    for figure in FIGURES:
        row = [found[kind].get(figure.key) for kind in kinds]
        cells = ["-" if value is None else f"{value:.2f}" for value in row]
        ratio = None
        if len(kinds) > 1 and row[0] and row[-1] is not None:
            ratio = row[-1] / row[0]
            missed |= figure.limit is not None and ratio > figure.limit
        shown = "-" if ratio is None else f"{ratio:.2f}"
        print(f"| {figure.title} | {' | '.join(cells)} | {shown} | {figure.limit or '-'} |")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
