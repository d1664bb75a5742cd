"""What each setting of the server is worth: the same load with one of them put back at a time.

Run as root: python benchmarks/knobs.py [--sessions N] [--only NAME ...]
Makes one virtual Pi with lanpi's installation, changes one setting, starts the server anew, logs in with PLAIN
(which leaves the most garbage), rests, sends messages, and puts the setting back. Prints a table in Markdown;
the first and the last row are the same settings twice, so that the noise of the machine shows.
"""

import argparse
import sys
from dataclasses import dataclass
from typing import Any

from pis import Serving, load, restart, server_pid, serving, shell

ERLANG, CONFIG, DATABASE = "/etc/default/ejabberd", "/etc/ejabberd/ejabberd.yml", "/var/lib/ejabberd/ejabberd.db"
_PAGES = """systemctl stop ejabberd
cat > /var/tmp/pages.py <<'END'
import sqlite3
connection = sqlite3.connect('{database}', isolation_level=None)
connection.execute('PRAGMA journal_mode = delete')
connection.execute('PRAGMA page_size = {size}')
connection.execute('VACUUM')
connection.execute('PRAGMA journal_mode = wal')
END
setpriv --reuid ejabberd --regid ejabberd --clear-groups python3 /var/tmp/pages.py"""


@dataclass(frozen=True)
class Variant:
    """One setting put back to what it would be without lanpi.

    Attributes:
        name: for --only.
        what: the setting and its value, as the table shows it.
        script: what does it, as root in the Pi; ``undo`` is needed only beyond the two files that are put back.
    """

    name: str
    what: str
    script: str
    undo: str = ""


VARIANTS = (
    Variant("lanpi", "as lanpi sets it", "true"),
    Variant("fullsweep", "fullsweep_after 65535", f"sed -i 's/FULLSWEEP_AFTER=.*/FULLSWEEP_AFTER=65535/' {ERLANG}"),
    Variant("pools", "a pool of memory for each thread (+Mut true)", f"sed -i 's/ +Mut false//' {ERLANG}"),
    Variant("arenas", "as many malloc arenas as glibc likes", f"sed -i '/MALLOC_ARENA_MAX/d' {ERLANG}"),
    Variant("busy", "busy-wait as Erlang has it", f"sed -i 's/ +sbwt none +sbwtdcpu none +sbwtdio none//' {ERLANG}"),
    Variant("schedulers", "one scheduler", f"sed -i 's/+S [0-9]*/+S 1/' {ERLANG}"),
    Variant(
        "pages",
        "database pages of 4096 bytes",
        _PAGES.format(database=DATABASE, size=4096),
        _PAGES.format(database=DATABASE, size=1024),
    ),
    Variant("archive", "nothing archived", f"sed -i '/^  mod_mam:/,/^    user_mucsub/d' {CONFIG}"),
    Variant("compress", "archive with compress_xml", f"sed -i 's/^  mod_mam:/&\\n    compress_xml: true/' {CONFIG}"),
    Variant(
        "tickets", "TLS without session tickets", f"sed -i 's/no_compression\\]/no_compression, no_ticket]/' {CONFIG}"
    ),
    Variant("again", "as lanpi sets it, again", "true"),
)


def measure(target: Serving, variant: Variant, sessions: int) -> list[str]:
    """One row of the table."""
    keep = f"cp -p {ERLANG} /root/erlang.kept; cp -p {CONFIG} /root/config.kept; sha256sum {ERLANG} {CONFIG} {DATABASE}"
    before = shell(target.pi, keep)
    shell(target.pi, variant.script)
    if variant.script != "true" and shell(target.pi, f"sha256sum {ERLANG} {CONFIG} {DATABASE}") == before:
        raise SystemExit(f"{variant.name} changed nothing")
    try:
        restart(target)
        server_pid(target)
        options = ["--mechanism", "PLAIN", "--logins-per-second", "80"]
        report: Any = load(target, sessions, *options, "--messages-per-second", "100", "--seconds", "30")
    finally:
        shell(
            target.pi, f"cp -p /root/erlang.kept {ERLANG}; cp -p /root/config.kept {CONFIG}; {variant.undo or 'true'}"
        )
    server = report["server"]
    return [
        variant.what,
        f"{server['before']['pss_bytes'] / 2**20:.0f}",
        f"{server['idle']['pss_bytes'] / 2**20:.0f}",
        f"{report['login_cpu_ms']:.1f}",
        f"{report['cpu_seconds_per_thousand_messages']:.2f}",
        f"{report['delivery_ms']['p99']:.0f}",
        f"{report['written_bytes_per_message'] / 1000:.0f}",
    ]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--only", nargs="*", choices=[variant.name for variant in VARIANTS])
    options = parser.parse_args()
    wanted = [variant for variant in VARIANTS if not options.only or variant.name in options.only]
    columns = ("setting", "MB at rest", f"MB with {options.sessions} sessions", "ms a login", "s a thousand messages")
    print(f"| {' | '.join((*columns, 'p99 ms', 'KB written a message'))} |\n|---|{'---:|' * 6}", flush=True)
    with serving("lanpi", "benchknobs", options.sessions) as target:
        for variant in wanted:
            print(f"| {' | '.join(measure(target, variant, options.sessions))} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
