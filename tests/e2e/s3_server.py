"""Storage as S3 has it, for a machine of the house: Debian's moto keeps it, and every signature is checked here.

    python3 s3_server.py ADDRESS PORT BUCKET LOGIN

Runs on the virtual Pi that plays the storage. LOGIN is the file that the login is written to, as KEY=VALUE lines.
moto could check signatures itself, but gets those of addresses with encoded slashes wrong.
"""

import os
import re
import secrets
import sys
from pathlib import Path

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple
from werkzeug.test import Client
from werkzeug.wrappers import Response

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/s3/aws4_request, ?"
    r"SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<signature>[0-9a-f]+)"
)
REFUSED = "<Error><Code>{}</Code><Message>{}</Message></Error>"


class Door:
    """Lets in whoever knows the login (docs.aws.amazon.com, "Signature Version 4")."""

    def __init__(self, application, key, secret):
        self._application, self._key, self._secret = application, key, secret

    def __call__(self, environ, start_response):
        refused = self._refused(environ)
        if refused is None:
            return self._application(environ, start_response)
        return Response(REFUSED.format(*refused), 403, content_type="application/xml")(environ, start_response)

    def _refused(self, environ):
        match = AUTHORIZATION.fullmatch(environ.get("HTTP_AUTHORIZATION", ""))
        if match is None:
            return "AccessDenied", "Access Denied"
        if match["key"] != self._key:
            return "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."
        headers = {name: _header(environ, name) for name in match["headers"].split(";")}
        url = f"http://{environ['HTTP_HOST']}{environ['REQUEST_URI']}"
        request = AWSRequest(method=environ["REQUEST_METHOD"], url=url, headers=headers)
        request.context["timestamp"] = headers["x-amz-date"]
        auth = S3SigV4Auth(Credentials(self._key, self._secret), "s3", match["region"])
        text = auth.string_to_sign(request, auth.canonical_request(request))
        if not secrets.compare_digest(auth.signature(text, request), match["signature"]):
            return "SignatureDoesNotMatch", (
                "The request signature we calculated does not match the signature you provided. "
                "Check your key and signing method."
            )
        return None


def _header(environ, name):
    plain = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
    return environ.get(plain.get(name, "HTTP_" + name.upper().replace("-", "_")), "")


def main():
    address, port, bucket, login = sys.argv[1:]
    application = DomainDispatcherApplication(create_backend_app)
    made = Client(application).put(f"/{bucket}", base_url="http://s3.amazonaws.com")
    assert made.status_code == 200, made.data
    key, secret = f"AKIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30)
    descriptor = os.open(login, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"AWS_ACCESS_KEY_ID={key}\nAWS_SECRET_ACCESS_KEY={secret}\n")
    Path("/run/s3.ready").touch()
    run_simple(address, int(port), Door(application, key, secret), threaded=True)


if __name__ == "__main__":
    main()
