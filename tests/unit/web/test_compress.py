"""The Pi's own compression of the pages (templates/usr/lib/lanpi/web-compress.j2), on a folder of this machine."""

import subprocess

import pytest

from lanpi import paths

LONG = "a page that is long enough to be compressed\n" * 100


@pytest.fixture
def www(tmp_path):
    folder = tmp_path / "www"
    for name in ("chat/index.html", "join/index.html", "static/chat-0/a.js"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(LONG)
    return folder


def compress(www):
    text = (paths.templates() / "usr/lib/lanpi/web-compress.j2").read_text()
    pages = text.partition("# nginx's package")[0]
    assert "cd /var/lib/lanpi/www\n" in pages
    program = pages.replace("cd /var/lib/lanpi/www\n", f"cd {www}\n")
    subprocess.run(["/bin/sh", "-c", program], check=True)


def found(www):
    return sorted(str(path.relative_to(www)) for path in www.rglob("*"))


def test_pages_are_compressed_and_what_came_with_its_copies_is_not(www):
    compress(www)
    assert (www / "chat/index.html.gz").exists()
    assert found(www / "static") == ["chat-0", "chat-0/a.js"]


def test_nothing_is_left_of_a_page_that_is_gone(www):
    compress(www)
    (www / "chat/index.html").unlink()
    compress(www)
    assert found(www) == [
        "join", "join/index.html", "join/index.html.gz", "static", "static/chat-0", "static/chat-0/a.js",
    ]  # fmt: skip
