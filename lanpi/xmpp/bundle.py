"""This client as one program for a python3 elsewhere, read from its standard input."""

from importlib import resources

MODULES = ("scram", "xml", "client", "exchange")
"""Each after what it imports."""

_LOADER = """\
import sys, types
package = sys.modules["lanpi_xmpp"] = types.ModuleType("lanpi_xmpp")
package.__path__ = []
for name, text in {modules!r}:
    module = types.ModuleType("lanpi_xmpp." + name)
    module.__package__ = "lanpi_xmpp"
    sys.modules[module.__name__] = module
    setattr(package, name, module)
    exec(compile(text, "lanpi/xmpp/" + name + ".py", "exec"), module.__dict__)
"""


def program(main: str) -> bytes:
    """The client's modules as the package ``lanpi_xmpp``, followed by ``main``.

    Args:
        main: Python source that uses them; secrets in it travel on standard input only.
    """
    folder = resources.files(__package__)
    modules = [(name, folder.joinpath(f"{name}.py").read_text("utf-8")) for name in MODULES]
    return (_LOADER.format(modules=modules) + main).encode()
