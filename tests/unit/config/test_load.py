"""Where settings come from, and every way they can be wrong: exact messages, since people read them."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lanpi.config.dump import dump
from lanpi.config.load import effective, leaves, load_file, parse, parse_setting
from lanpi.config.model import Config
from lanpi.errors import ExitCode, LanpiError


def refused(text: str, *settings: str) -> str:
    with pytest.raises(LanpiError) as error:
        effective({}, parse(text, "lanpi.yml"), [parse_setting(each) for each in settings])
    assert error.value.exit_code is ExitCode.BAD_INPUT
    assert "lanpi config example" in error.value.next_step
    return "\n".join([error.value.what, *map(str, error.value.mistakes)])


def test_later_sources_win_and_are_named() -> None:
    pi = parse("im:\n  mqtt: true\n  calls: false\n  archive_days: 30\n", "the Pi's")
    file = parse("im:\n  calls: true\n  archive_days: 60\n", "mine.yml")
    found = effective(pi, file, [parse_setting("im.archive_days=90")])
    assert (found.config.im.mqtt, found.config.im.calls, found.config.im.archive_days) == (True, True, 90)
    assert str(found.origins["im.mqtt"]) == "the Pi's, line 2"
    assert str(found.origins["im.calls"]) == "mine.yml, line 2"
    assert str(found.origins["im.archive_days"]) == "--set"
    assert str(found.origins["admin"]) == "default"
    assert set(found.origins) == set(leaves(found.config))


def test_the_last_set_wins() -> None:
    found = effective({}, {}, [parse_setting("logs.max_mb=100"), parse_setting("logs.max_mb=300")])
    assert found.config.logs.max_mb == 300


def test_lists_are_replaced_and_overrides_are_merged_by_name() -> None:
    pi = parse("network: {allow_ports: [80/tcp]}\ntune: {overrides: {a: 1, b: 2}}", "pi")
    found = effective(pi, {}, [parse_setting("network.allow_ports=[443/tcp]"), parse_setting("tune.overrides.b=3")])
    assert found.config.network.allow_ports == ["443/tcp"]
    assert found.config.tune.overrides == {"a": 1, "b": 3}
    assert str(found.origins["tune.overrides"]) == "--set"


def test_an_empty_mapping_empties_the_overrides() -> None:
    pi = parse("tune: {overrides: {a: 1}}", "pi")
    found = effective(pi, {}, [parse_setting("tune.overrides={}")])
    assert found.config.tune.overrides == {}
    assert str(found.origins["tune.overrides"]) == "--set"


@pytest.mark.parametrize("mode", ["local", "acme"])
def test_another_mode_leaves_the_files_of_the_old_one_behind(mode: str) -> None:
    pi = parse("tls: {mode: files, certificate: /etc/c.pem, key: /etc/k.pem}", "pi")
    found = effective(pi, {}, [parse_setting("domain=chat.example.org"), parse_setting(f"tls.mode={mode}")])
    assert (found.config.tls.mode, found.config.tls.certificate, found.config.tls.key) == (mode, None, None)
    assert str(found.origins["tls.key"]) == "default"


def test_files_given_with_another_mode_are_still_a_mistake() -> None:
    assert "only used with mode files" in refused("tls: {mode: local, certificate: /etc/c.pem, key: /etc/k.pem}")


def test_a_section_with_every_key_commented_out_means_nothing() -> None:
    assert effective(parse("im: {mqtt: true}", "pi"), parse("im:\n  # mqtt: false\n", "mine"), []).config.im.mqtt


@pytest.mark.parametrize(("text", "value"), [("off", "off"), ("'off'", "off"), ("auto", "auto"), ("512", 512)])
def test_swap_off_needs_no_quotes(text: str, value: Any) -> None:
    assert effective({}, parse(f"memory: {{swap: {text}}}", "x"), []).config.memory.swap == value


def test_every_mistake_has_a_line_in_the_order_of_the_file() -> None:
    said = refused("tune:\n  people: 0\nim:\n  archive_dayz: 3\n  mqtt: maybe\nlogs: 5\n", "database=mysql")
    assert said.splitlines() == [
        "the settings have 5 mistakes",
        "lanpi.yml, line 2: tune.people: found 0; allowed: a whole number from 1 to 1000000 or empty",
        "lanpi.yml, line 4: im.archive_dayz: unknown key; did you mean im.archive_days?",
        "lanpi.yml, line 5: im.mqtt: found 'maybe'; allowed: true or false",
        "lanpi.yml, line 6: logs: found 5, but this is a section with the keys max_mb",
        "--set: database: found 'mysql'; allowed: sqlite or postgresql",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("archive_days: 4", "line 1: archive_days: unknown key; did you mean im.archive_days?"),
        ("zzz: 1", "line 1: zzz: unknown key; known keys: domain, admin, database, im, "),
        ("im: {zzz: 1}", "im.zzz: unknown key; known keys: channel, federation, "),
        ("im.mqtt: true", "im.mqtt: write it as mqtt under im"),
        ("im: {archive_days: 1.5}", "im.archive_days: found 1.5; allowed: a whole number from 0 to 36500"),
        ("im: {archive_days: '7'}", "im.archive_days: found '7'; allowed: a whole number from 0 to 36500"),
        ("im: {calls: 1}", "im.calls: found 1; allowed: true or false"),
        ("memory: {swap: lots}", "swap: found 'lots'; allowed: auto or off or a whole number from 0 to 65536"),
        ("network: {allow_ports: 80}", "allow_ports: found 80; allowed: a list of PORT/tcp or PORT/udp"),
        ("network: {allow_ports: [80]}", "allow_ports: found [80]; allowed: a list of PORT/tcp or PORT/udp"),
        ("network: {allow_ports: [0/tcp]}", "'0/tcp' must be PORT/tcp or PORT/udp with a port from 1 to 65535"),
        ("network: {allow_ports: [65536/tcp]}", "'65536/tcp' must be PORT/tcp"),
        ("tune: {overrides: {a: [1]}}", "tune.overrides.a: found [1]; allowed: names with values"),
        ("admin: Bob", "admin: found 'Bob'; allowed: up to 64 lower-case letters, digits, dots, hyphens and"),
        ("tls: {mode: files}", "tls: mode files needs both certificate and key"),
        ("tls: {certificate: /a, key: /b}", "tls: certificate and key are only used with mode files, not with local"),
        ("tls: {mode: files, certificate: a, key: /b}", "tls.certificate: found 'a': it must be a full path on the Pi"),
        ("tls: {mode: acme}", "tls.mode acme needs a public domain, but domain is not set"),
        ("{domain: pi.local, tls: {mode: acme}}", "acme needs a public domain, but domain is pi.local"),
        ("tls: {email: nobody}", "tls.email: found 'nobody': an e-mail address must be NAME@DOMAIN"),
        ("im: {upload_max_mb: 2000}", "im: upload_max_mb (2000) must not be larger than upload_quota_mb (1000)"),
        ("domain: 10.0.0.1", "domain: found '10.0.0.1': an IP address is not a valid domain"),
    ],
)
def test_wrong_values_say_what_is_allowed(text: str, said: str) -> None:
    assert said in refused(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("im:\n  mqtt: [1\n", "lanpi.yml, line 3, column 1: expected ',' or ']', but got '<stream end>'"),
        ("a: 1\n\tb: 2", "lanpi.yml, line 2, column 1: found character '\\t' that cannot start any token in `b: 2`"),
        ("im:\n  mqtt: true\n  mqtt: false", "line 3, column 3: mqtt is set twice, first in line 2 in `mqtt: false`"),
        ("- im", "lanpi.yml: expected keys with values (KEY: VALUE), but found ['im']"),
        ("just words", "lanpi.yml: expected keys with values (KEY: VALUE), but found 'just words'"),
        ("1: 2", "line 1, column 1: a key must be a word in `1: 2`"),
        ("[1]: 2", "line 1, column 1: a key must be a word"),
        ("a: &a [1]\nb: *a", "line 2, column 4: aliases (*name) are not allowed here in `b: *a`"),
        ("domain: 2024-99-99", "lanpi.yml: month must be in 1..12"),
        ("a: !!python/object:os.system x", "could not determine a constructor for the tag"),
        ("[" * 5000, "lanpi.yml: nested too deeply"),
        ("\x00", "lanpi.yml: unacceptable character"),
        ("a: 1\n---\nb: 2", "line 2, column 1: but found another document"),
    ],
)
def test_broken_yaml_says_where(text: str, said: str) -> None:
    assert said in refused(text)


@pytest.mark.parametrize("text", ["im.mqtt", "=true", "im..mqtt=true", ".=1"])
def test_set_without_key_or_value(text: str) -> None:
    assert refused("", text) == f"--set {text}: write it as KEY=VALUE, such as im.mqtt=true"


def test_set_with_a_broken_value() -> None:
    assert refused("", "im.mqtt=[1") == "--set im.mqtt=[1: the value is not valid YAML"
    assert refused("", "im.mqtt=") == "--set: im.mqtt: found nothing; allowed: true or false"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(LanpiError, match=r"cannot read .*none\.yml: No such file"):
        load_file(tmp_path / "none.yml")
    with pytest.raises(LanpiError, match="Is a directory"):
        load_file(tmp_path)
    (tmp_path / "latin1.yml").write_bytes(b"admin: \xe4")
    with pytest.raises(LanpiError, match=r"not UTF-8 text \(byte 7\)"):
        load_file(tmp_path / "latin1.yml")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_settings_or_refused(text: str) -> None:
    try:
        effective({}, parse(text, "x"), [])
    except LanpiError as error:
        assert error.exit_code is ExitCode.BAD_INPUT


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("ab .-/1", max_size=9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "mqtt"]), inner, max_size=2),
    max_leaves=4,
)
NAMES = st.sampled_from(["domain", "im", "mqtt", "tls", "tune", "overrides", "memory", "swap", "zz"])


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(NAMES, VALUES | st.dictionaries(NAMES, VALUES, max_size=2), max_size=3))
def test_any_mapping_is_a_configuration_or_refused_by_path(data: dict[str, Any]) -> None:
    text = yaml.safe_dump(data)
    try:
        config = effective({}, parse(text, "x"), []).config
    except LanpiError as error:
        assert error.exit_code is ExitCode.BAD_INPUT
    else:
        assert effective(parse(dump(config), "again"), {}, []).config == config


def test_what_is_dumped_reads_back() -> None:
    config = Config.model_validate(
        {"domain": "chat.example.org", "memory": {"swap": "off"}, "tune": {"overrides": {"x": 1}}}
    )
    text = dump(config)
    assert effective(parse(text, "again"), {}, []).config == config
    assert "archive_days" not in text
