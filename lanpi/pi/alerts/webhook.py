"""An alert as a web request that ntfy understands (docs.ntfy.sh, "Publishing"), and anything that takes a text.

A redirect counts as a failure: followed, the POST would become a GET without the text, and another host would see the
token.
"""

import http.client
from urllib.parse import urlsplit

SECONDS = 20.0
ACCEPTED = range(200, 300)


def send(address: str, token: str, subject: str, body: str) -> None:
    """Post the text, with the subject as its title.

    Raises:
        OSError: no answer, or a refusal.
    """
    place = urlsplit(address)
    title = subject.encode("ascii", "replace").decode()  # a header carries no more (RFC 9110 5.5)
    headers = {"Title": title, "Priority": "high", "Content-Type": "text/plain; charset=utf-8"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    connection = kind(place.hostname or "", place.port, timeout=SECONDS)
    path = f"{place.path or '/'}{f'?{place.query}' if place.query else ''}"
    try:
        connection.request("POST", path, body=body.encode(), headers=headers)
        answer = connection.getresponse()
    except http.client.HTTPException as error:
        raise OSError(f"it did not answer as a web server does: {error!r}") from error
    finally:
        connection.close()
    if answer.status not in ACCEPTED:
        raise OSError(f"it answered {answer.status} {answer.reason}")
