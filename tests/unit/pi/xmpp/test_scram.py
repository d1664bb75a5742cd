"""SCRAM against the RFCs' own examples."""

import base64

import pytest

from lanpi.pi.xmpp import scram

# RFC 5802 section 5 and RFC 7677 section 3: the same conversation with SHA-1 and SHA-256.
EXAMPLES = {
    "SCRAM-SHA-1": (
        "fyko+d2lbbFgONRv9qkxdawL",
        "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    ),
    "SCRAM-SHA-256": (
        "rOprNGfwEbeRWgbNEkqO",
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ),
}


@pytest.mark.parametrize("mechanism", EXAMPLES)
def test_the_rfcs_conversation(mechanism):
    nonce, server_first, client_final, server_final = EXAMPLES[mechanism]
    assert scram.first_message("user", nonce) == f"n,,n=user,r={nonce}"
    final = scram.final_message(mechanism, "user", "pencil", nonce, server_first)
    assert final.message == client_final
    scram.check_server(final, server_final)


def test_a_server_that_does_not_know_the_password_is_found_out():
    nonce, server_first, _, _ = EXAMPLES["SCRAM-SHA-256"]
    final = scram.final_message("SCRAM-SHA-256", "user", "pencil", nonce, server_first)
    with pytest.raises(scram.ScramError, match="does not know this password"):
        scram.check_server(final, "v=" + base64.b64encode(b"x" * 32).decode())


@pytest.mark.parametrize(
    ("server_first", "what"),
    [
        ("r=somebody-elses,s=QSXCR+Q6sek8bf92,i=4096", "nonce"),
        ("r=own,s=QSXCR+Q6sek8bf92,i=4096", "nonce"),
        ("r=own-and-more,s=QSXCR+Q6sek8bf92,i=1", "1 rounds"),
        ("r=own-and-more,s=QSXCR+Q6sek8bf92,i=99999999", "99999999 rounds"),
    ],
)
def test_what_a_server_must_not_ask(server_first, what):
    with pytest.raises(scram.ScramError, match=what):
        scram.final_message("SCRAM-SHA-1", "user", "pencil", "own", server_first)


def test_names_are_escaped():
    assert scram.first_message("a=b,c", "n") == "n,,n=a=3Db=2Cc,r=n"
