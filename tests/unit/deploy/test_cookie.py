"""The cookie that ejabberd's admin socket can live with."""

import runpy

import pytest

from lanpi import paths


@pytest.fixture
def cookie(tmp_path):
    """The script's functions, on a cookie file of its own."""
    # It has no Jinja in it: the template is the script.
    script = runpy.run_path(str(paths.templates() / "usr/lib/lanpi/im-cookie.j2"))
    script["main"].__globals__["COOKIE"] = tmp_path / ".erlang.cookie"
    return script


def test_the_name_is_erlangs_own(cookie):
    # escript: base64:encode(term_to_binary({binary:part(crypto:hash(sha, Cookie), 1, 8), Path}))
    name = cookie["provisional_name"]("ABCDEFGHIJKLMNOPQRST")
    assert name == "g2gCbQAAAAjQtcte0ES1MG0AAAAaL3Zhci9saWIvZWphYmJlcmQvYXBpLnNvY2s="


def test_a_missing_cookie_is_made_and_a_good_one_kept(cookie, tmp_path):
    cookie["main"]()
    first = (tmp_path / ".erlang.cookie").read_text()
    assert "/" not in cookie["provisional_name"](first)
    assert (tmp_path / ".erlang.cookie").stat().st_mode & 0o777 == 0o400
    cookie["main"]()
    assert (tmp_path / ".erlang.cookie").read_text() == first


def test_a_bad_cookie_is_replaced(cookie, tmp_path):
    bad = next(name for i in range(1000) if "/" in cookie["provisional_name"](name := f"COOKIE{i:014}"))
    (tmp_path / ".erlang.cookie").write_text(bad)
    cookie["main"]()
    assert "/" not in cookie["provisional_name"]((tmp_path / ".erlang.cookie").read_text())
