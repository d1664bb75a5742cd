"""An XMPP stream's XML as a sequence of elements (RFC 6120 section 11), bounded and without DTDs."""

from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

STANZA_BYTES_MAX = 1_048_576
"""More than any server here lets through; a bound, so that nobody can fill our memory."""


class XmlError(Exception):
    """The stream is not what RFC 6120 11.1 allows, or a stanza is too large."""


class StreamParser:
    """Turns bytes into complete children of the stream's root element."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate(namespace_separator="}")
        # Entities other than the five of XML itself need a DTD; without DTDs there is nothing to expand.
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.ProcessingInstructionHandler = self._refuse
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data
        self._parser.buffer_text = True
        # Since 2.6 expat puts off reading a token that a read cut in two until twice as much has come (CVE-2023-52425):
        # a stanza would wait for the next one. A stream is bounded by STANZA_BYTES_MAX instead. Bookworm's expat does
        # so too, and its Python (3.11.2) lacks the switch: there expat is given whole tags only.
        self._holds_back = not hasattr(self._parser, "SetReparseDeferralEnabled")
        self._held = b""
        if not self._holds_back:
            self._parser.SetReparseDeferralEnabled(False)
        self._depth = 0
        self._size = 0
        self._builder = TreeBuilder()
        self._ready: list[Element] = []
        self.ended = False

    def feed(self, data: bytes) -> list[Element]:
        """The elements that are complete with these bytes.

        Raises:
            XmlError: malformed, forbidden, or a stanza beyond STANZA_BYTES_MAX.
        """
        self._size += len(data)
        if self._size > STANZA_BYTES_MAX:
            raise XmlError(f"the server sent a stanza of more than {STANZA_BYTES_MAX} bytes")
        if self._holds_back:
            self._held += data
            end = self._held.rfind(b">") + 1
            data, self._held = self._held[:end], self._held[end:]
        try:
            self._parser.Parse(data, False)
        except expat.ExpatError as error:
            raise XmlError(str(error)) from error
        ready, self._ready = self._ready, []
        if ready:
            self._size = 0
        return ready

    def _refuse(self, *_: object) -> None:
        raise XmlError("document types and processing instructions are forbidden in a stream")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > 1:
            self._builder.start(_qualified(name), {_qualified(k): v for k, v in attributes.items()})

    def _end(self, name: str) -> None:
        self._depth -= 1
        if self._depth == 0:
            self.ended = True
            return
        self._builder.end(_qualified(name))
        if self._depth == 1:
            self._ready.append(self._builder.close())
            self._builder = TreeBuilder()

    def _data(self, text: str) -> None:
        if self._depth > 1:
            self._builder.data(text)


def _qualified(name: str) -> str:
    """ElementTree's spelling of expat's namespace}name."""
    return "{" + name if "}" in name else name


def text(value: str) -> str:
    """Text content, escaped."""
    return escape(value)


def attribute(value: str) -> str:
    """An attribute's value, escaped and quoted."""
    return quoteattr(value)
