"""The welcome service: it runs only while invitations are open, and puts newcomers into their groups at once.

It looks at the time of ejabberd's database file each second and reads the database when that has changed; with
PostgreSQL it asks every few seconds. When no invitation is open any more, it ends; lanpi-welcome.path starts it again.
"""

import json
import sys
import time
from pathlib import Path

from lanpi.pi.im import invites, record
from lanpi.pi.im.api import admin_of, asking, database_of, domain_of
from lanpi.pi.im.database import USED_TOKENS, Database
from lanpi.pi.im.groups import Place
from lanpi.pi.im.problem import Problem

CONFIG = Path("/etc/lanpi/lanpi.yml")
INSTALLED = Path("/var/lib/lanpi/installed.json")
LOOK_SECONDS = 1.0
ASK_SECONDS = 5.0
"""Between questions where no file tells of changes; also how often the time of invitations is looked at."""


def wait_for_change(database: Database, seen: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """Until the database may have changed, or some seconds are over."""
    for _ in range(int(ASK_SECONDS / LOOK_SECONDS)):
        time.sleep(LOOK_SECONDS)
        now = database.changed()
        if now is not None and now != seen:
            return now
    return seen


def watch(place: Place, database: Database, path: Path = record.PATH) -> None:
    """Settle invitations until none is open."""
    seen = database.changed()
    while any(each.state == record.OPEN for each in record.load(path)):
        try:
            invites.settle(place, database.pairs(USED_TOKENS), path)
        except (Problem, OSError, ValueError) as error:
            # ejabberd restarts, as in an upgrade: the next round finds what was used meanwhile.
            sys.stderr.write(f"not now: {error}\n")
            sys.stderr.flush()
        seen = wait_for_change(database, seen)
    # Nothing is open: without the flag, which an error or a restored backup may have left, the path unit rests.
    with record.changing(time.time(), path) as invitations:
        if not any(each.state == record.OPEN for each in invitations):
            (path.parent / record.FLAG).unlink(missing_ok=True)


def main() -> None:
    """The service."""
    config = CONFIG.read_text("utf-8")
    domain = installed_domain(INSTALLED, config)
    watch(Place(asking(domain), domain, admin_of(config)), Database(database_of(config), domain))


def installed_domain(installed: Path, config: str) -> str:
    """The domain that this Pi serves."""
    try:
        return str(json.loads(installed.read_text("utf-8"))["domain"])
    except (OSError, ValueError, KeyError):
        return domain_of(config)
