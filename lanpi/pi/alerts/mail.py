"""An alert as mail, through a relay: a Pi at home that sends mail itself is taken for a spammer."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from lanpi.pi.alerts.settings import Smtp

SECONDS = 30.0
"""For each step of the conversation; RFC 5321 4.5.3.2 allows minutes, for which nobody at a terminal waits."""


def send(smtp: Smtp, password: str, address: str, subject: str, body: str) -> None:
    """Hand a mail to the relay.

    Raises:
        OSError: no answer, a certificate that is not right, or a refusal (smtplib.SMTPException is one).
    """
    message = composed(smtp.sender or smtp.user or address, address, subject, body)
    context = ssl.create_default_context()
    if smtp.security == "tls":
        relay: smtplib.SMTP = smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=SECONDS, context=context)
    else:
        relay = smtplib.SMTP(smtp.host, smtp.port, timeout=SECONDS)
    with relay:
        if smtp.security == "starttls":
            relay.starttls(context=context)
        if smtp.user:
            relay.login(smtp.user, password)
        relay.send_message(message)


def composed(sender: str, address: str, subject: str, body: str) -> EmailMessage:
    """The mail. Date and Message-ID are there, or it lands among the junk; and no vacation notice answers it."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, address, subject
    message["Date"] = formatdate(localtime=True)
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2] or "localhost")
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834
    message.set_content(body)
    return message
