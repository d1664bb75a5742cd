"""An alert as a web request that ntfy understands (docs.ntfy.sh, "Publishing"), and anything that takes a text."""

import http.client
import urllib.error
import urllib.request
from typing import IO

SECONDS = 20.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST becomes a GET without the text, and would show the token to another host."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> None:
        return None


def send(address: str, token: str, subject: str, body: str) -> None:
    """Post the text, with the subject as its title.

    Raises:
        OSError: no answer, or a refusal (urllib.error.HTTPError is one).
    """
    title = subject.encode("ascii", "replace").decode()  # a header carries no more (RFC 9110 5.5)
    headers = {"Title": title, "Priority": "high", "Content-Type": "text/plain; charset=utf-8"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(address, data=body.encode(), headers=headers, method="POST")  # noqa: S310 - http(s)
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        opener.open(request, timeout=SECONDS).close()
    except urllib.error.HTTPError as error:
        raise OSError(f"it answered {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise OSError(str(error.reason)) from error
