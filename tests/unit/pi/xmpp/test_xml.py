"""The stream parser's bounds."""

import pytest

from lanpi.pi.xmpp.xml import STANZA_BYTES_MAX, StreamParser, XmlError

OPEN = b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"


@pytest.mark.parametrize("holds_back", [False, True])
def test_stanzas_come_whole_however_the_bytes_are_cut(holds_back):
    """Also under a Python that cannot keep expat from putting off a cut token."""
    text = OPEN + b"<message><body>Hi &amp; bye</body></message><presence/>"
    parser = StreamParser()
    if holds_back:
        parser._holds_back = True
    found = [element for i in range(len(text)) for element in parser.feed(text[i : i + 1])]
    assert [element.tag for element in found] == ["{jabber:client}message", "{jabber:client}presence"]
    assert found[0].findtext("{jabber:client}body") == "Hi & bye"
    assert not parser.ended


def test_the_end_of_the_stream_is_seen():
    parser = StreamParser()
    parser.feed(OPEN + b"</stream:stream>")
    assert parser.ended


@pytest.mark.parametrize(
    "text",
    [
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><stream/>",
        b"<?xml version='1.0'?><?php evil?><stream/>",
        OPEN + b"<message></presence>",
        OPEN + b"<message>&undefined;</message>",
    ],
)
def test_what_a_stream_may_not_contain(text):
    with pytest.raises(XmlError):
        StreamParser().feed(text)


def test_a_stanza_without_end_is_cut_off():
    parser = StreamParser()
    parser.feed(OPEN + b"<message>")
    with pytest.raises(XmlError, match="more than"):
        for _ in range(STANZA_BYTES_MAX // 65536 + 1):
            parser.feed(b"x" * 65536)


def test_many_stanzas_are_not_one_large_one():
    parser = StreamParser()
    parser.feed(OPEN)
    stanza = b"<message><body>" + b"x" * 60_000 + b"</body></message>"
    count = sum(len(parser.feed(stanza)) for _ in range(30))
    assert count == 30
