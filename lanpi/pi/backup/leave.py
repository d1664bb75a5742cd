"""All of a server's data for another server: a backup's consistent copy, readable, with accounts as XEP-0227."""

import json
import re
import shutil
from pathlib import Path

from lanpi.pi.backup import stage, work
from lanpi.pi.backup.common import HANDED, Problem, Reporter, command
from lanpi.pi.backup.content import NAME, sha256, summary
from lanpi.pi.files import write_whole

FOLDER = "xep-0227"
WRITTEN = Path("/var/lib/ejabberd/lanpi-export")  # ejabberd writes it itself, and may write nowhere else
USER = re.compile(rb"<user name=")


def export(reporter: Reporter) -> None:
    """Fill HANDED with everything; it stays there until export_done."""
    content = stage.stage(work.manifest(), reporter, HANDED)
    reporter.step("Writing the accounts as XEP-0227")
    exported = {**content, "xep-0227": _accounts(summary(content)["people"])}
    write_whole(HANDED / NAME, json.dumps(exported, sort_keys=True, indent=1))
    reporter.say("result", folder=str(HANDED), **summary(content))


def export_done(reporter: Reporter) -> None:
    """Remove the fetched copy: it is as secret as the original."""
    stage.clear(HANDED)
    reporter.say("result")


def _accounts(people: int) -> dict[str, str]:
    shutil.rmtree(WRITTEN, ignore_errors=True)
    WRITTEN.mkdir(mode=0o700)
    shutil.chown(WRITTEN, "ejabberd", "ejabberd")
    try:
        command([stage.IM_CALL, "export_piefxis", "-"], stdin=json.dumps({"dir": str(WRITTEN)}))
        # ejabberd reports 0 whatever it wrote: what counts are the accounts in the file.
        found = sum(len(USER.findall(path.read_bytes())) for path in WRITTEN.glob("*.xml"))
        if found < people:
            raise Problem(
                f"ejabberd wrote {found} of {people} accounts as XEP-0227",
                "See why with `lanpi logs ejabberd`, then run the command again",
            )
        target = HANDED / FOLDER
        shutil.move(WRITTEN, target)
    finally:
        shutil.rmtree(WRITTEN, ignore_errors=True)
    target.chmod(0o700)
    return {f"{FOLDER}/{path.name}": sha256(path) for path in sorted(target.iterdir())}
