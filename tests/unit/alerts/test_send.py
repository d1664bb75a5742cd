"""Alerts, against a mail relay and a web server of the test's own."""

import http.server
import socketserver
import threading
from contextlib import contextmanager

import pytest

from lanpi.pi.alerts import mail, send, settings, webhook
from lanpi.pi.alerts.settings import Settings, Smtp, read_secrets, settings_from, token_name


@contextmanager
def serving(server):
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Relay(socketserver.StreamRequestHandler):
    """As much of SMTP as a client asks for; accepts one login."""

    def handle(self):
        self.say("220 relay")
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            if verb == "EHLO":
                self.say("250-relay\r\n250 AUTH PLAIN")
            elif verb == "AUTH":
                self.server.login = line
                self.say("235 ok" if self.server.lets_in else "535 Wrong password s3cr3t-word")
            elif verb == "DATA":
                self.say("354 go")
                lines = []
                while (part := self.rfile.readline().decode()) != ".\r\n":
                    lines.append(part)
                self.server.mails.append("".join(lines))
                self.say("250 taken")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def say(self, text):
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def relay():
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Relay)
    server.mails, server.lets_in, server.login = [], True, ""
    with serving(server):
        yield server


class Web(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.got.append((self.path, dict(self.headers), body))
        self.send_response(self.server.answers)
        if self.server.answers == 302:
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def web():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)
    server.got, server.answers = [], 200
    with serving(server):
        server.address = f"http://127.0.0.1:{server.server_port}/topic"
        yield server


def smtp(relay, **changes):
    found = {"host": "127.0.0.1", "port": relay.server_address[1], "security": "none", "user": "", "sender": "pi@x.org"}
    return Smtp(**found | changes)


def test_a_mail_says_what_no_junk_filter_misses(relay):
    mail.send(smtp(relay), "", "anna@example.org", "home.local: Backup", "Die Sicherung schlug fehl: Größe")
    [text] = relay.mails
    for line in ("From: pi@x.org", "To: anna@example.org", "Subject: home.local: Backup", "Auto-Submitted: auto-gen"):
        assert line in text
    assert "Date: " in text
    assert "@x.org>" in text


def test_a_password_is_not_shown_when_the_relay_repeats_it(relay, monkeypatch):
    relay.lets_in = False
    secrets = {"SMTP_PASSWORD": "s3cr3t-word"}
    told = Settings("home.local", "admin", ("mailto:anna@example.org",), smtp(relay, user="pi"))
    failed = send.send(told, secrets, "Backup", "text")
    assert "Wrong password ***" in failed["mailto:anna@example.org"]
    assert relay.login
    assert relay.mails == []


def test_encryption_that_the_relay_does_not_offer_is_not_done_without(relay):
    told = Settings("home.local", "admin", ("mailto:a@b.c",), smtp(relay, security="starttls", user="pi"))
    failed = send.send(told, {"SMTP_PASSWORD": "s3cr3t-word"}, "Backup", "text")
    assert "STARTTLS" in failed["mailto:a@b.c"]
    assert relay.login == ""


def test_a_web_address_gets_text_title_and_its_own_token(web):
    name = token_name(web.address)
    told = Settings("home.local", "admin", (web.address,))
    assert send.send(told, {name: "t0ken", "TOKEN_OTHER_ORG": "no"}, "Backup", "It failed: ä") == {}
    [(path, headers, body)] = web.got
    assert (path, body) == ("/topic", "It failed: ä")
    assert headers["Title"] == "home.local: Backup"
    assert headers["Authorization"] == "Bearer t0ken"


@pytest.mark.parametrize(("status", "why"), [(403, "it answered 403"), (302, "it answered 302")])
def test_a_web_address_that_refuses_or_leads_elsewhere_is_a_failure(web, status, why):
    web.answers = status
    with pytest.raises(OSError, match=why):
        webhook.send(web.address, "t0ken", "Backup", "text")
    assert len(web.got) == 1


def test_one_way_that_fails_does_not_stop_the_others(web, monkeypatch):
    def down(*_, **__):
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr("lanpi.pi.im.api.call", down)
    failed = send.send(Settings("home.local", "admin", ("xmpp", web.address)), {}, "Backup", "text")
    assert list(failed) == ["xmpp"]
    assert len(web.got) == 1


def test_the_administrators_account_gets_a_message(monkeypatch):
    asked = []
    monkeypatch.setattr("lanpi.pi.im.api.call", lambda domain, command, **what: asked.append((command, what)))
    assert send.send(Settings("home.local", "anna"), {}, "Backup", "text") == {}
    [(command, what)] = asked
    assert (command, what["to"], what["from"]) == ("send_message", "anna@home.local", "home.local")


def test_tokens_are_named_by_their_host():
    assert token_name("https://ntfy.sh/topic") == "TOKEN_NTFY_SH"
    assert token_name("https://ntfy.example.org:8443/a/b") == "TOKEN_NTFY_EXAMPLE_ORG_8443"


def test_settings_and_secrets_of_the_pi(tmp_path):
    (tmp_path / "alert.env").write_text("# mine\nSMTP_PASSWORD=a=b\n")
    assert read_secrets(tmp_path / "alert.env") == {"SMTP_PASSWORD": "a=b"}
    assert read_secrets(tmp_path / "none") == {}
    assert settings.read_settings(tmp_path / "none") is None
    with pytest.raises(KeyError):
        settings_from({"domain": "x"})
