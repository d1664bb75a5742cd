"""lanpi: a private messaging cloud on a Raspberry Pi."""

__version__ = "0.1.0"
