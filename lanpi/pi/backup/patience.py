"""When to stop waiting for restic, which retries a silent place for a quarter of an hour."""

import re

from lanpi.pi.backup.common import Problem
from lanpi.pi.backup.places import disk_number

# What restic 0.14 to 0.18 write on standard error before each new try.
AGAIN = re.compile(r"^(?P<what>.*) returned error, retrying after \S+: (?P<why>.*)$", re.MULTILINE)
SUCCESS = "operation successful after"
# The first file that restic reads. A place that does not even return it is away; one that stops answering later may be
# back when the router has started again.
FIRST = "<config/"
FIRST_SECONDS = 20.0
LATER_SECONDS = 120.0
QUIET_SECONDS = 180.0  # longer than restic waits between two tries of one thing: what fails now is something else
ENVIRONMENT_HINT = "Check the login in /etc/lanpi/backup.env on the Pi"
# Answers that no further try will change: S3's (docs.aws.amazon.com, "Error responses") as restic words them, and
# HTTP's.
REFUSALS = re.compile(
    r"signature we calculated does not match|Access ?Key ?Id you provided does not exist|Access Denied|not authorized"
    r"|InvalidAccessKeyId|SignatureDoesNotMatch|no credentials found|\(\$AWS_\w+\) is empty"
    r"|\(40[13]\)|40[13] (Unauthorized|Forbidden)",
    re.IGNORECASE,
)
SILENCE = re.compile(r"dial tcp|unable to start the sftp session")
NO_BUCKET = re.compile(r"bucket does not exist|NoSuchBucket", re.IGNORECASE)


def refusal(why: str, shown: str) -> Problem | None:
    """A Problem where a place has refused for good, else None."""
    if REFUSALS.search(why):
        return Problem(f"{shown} does not let this Pi in: {why.rstrip('.')}", ENVIRONMENT_HINT, "refused")
    if NO_BUCKET.search(why):
        return Problem(f"there is no such bucket at {shown}", "Create the bucket first", "bad-input")
    return None


def silence(why: str, shown: str) -> Problem | None:
    """A Problem where restic could not even ask a place, else None."""
    return _unanswered(why, shown) if SILENCE.search(why) else None


def _unanswered(why: str, shown: str) -> Problem:
    return Problem(f"{shown} does not answer: {why}", "Is it switched on, and is its address right?")


class Patience:
    """The patience with one run of restic.

    shown: the place as the user named it.
    """

    def __init__(self, shown: str) -> None:
        self._shown, self._disk = shown, disk_number(shown)
        self._since, self._last, self._seen = 0.0, 0.0, 0

    def ends(self, said: str, moment: float) -> Problem | None:
        """A Problem when there is no point in waiting longer, else None.

        said: all that restic has written on standard error.
        moment: seconds, of a clock that does not jump.
        """
        if self._disk is not None and disk_number(self._shown) != self._disk:
            return Problem(f"the USB disk of {self._shown} is no longer connected", "Plug it in again", "missing")
        tries = list(AGAIN.finditer(said))
        if not tries:
            return None
        what, why, new = tries[-1]["what"], tries[-1]["why"], len(tries) != self._seen
        if new and (not self._seen or moment - self._last > QUIET_SECONDS):
            self._since = moment
        if new:
            self._seen, self._last = len(tries), moment
        waited = moment - self._since
        if FIRST in what and SUCCESS not in said[tries[-1].end() :]:
            over = waited >= FIRST_SECONDS
        else:
            # Only when it fails once more: not every release reports a successful try.
            over = new and waited >= LATER_SECONDS
        if over:
            return _unanswered(why, self._shown)
        return refusal(why, self._shown) if new else None
