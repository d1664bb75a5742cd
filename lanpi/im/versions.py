"""What each ejabberd release can do: callers ask for the feature, never for the version.

Sources: ejabberd's release notes for the version named in each line, checked on the packages of
Debian bookworm (23.01; backports 24.12) and trixie (24.12; backports 26.07).
"""

from typing import Literal

Channel = Literal["backports", "stable"]

RELEASES: dict[tuple[str, str], tuple[int, int]] = {
    ("bookworm", "stable"): (23, 1),
    ("bookworm", "backports"): (24, 12),
    ("trixie", "stable"): (24, 12),
    ("trixie", "backports"): (26, 7),
}
"""The ejabberd that each Debian release and channel carries: (year, month)."""

FEATURES: dict[str, tuple[int, int]] = {
    "host_meta": (22, 5),
    "unix_socket_mode": (23, 10),
    "listener_tag": (24, 6),
    "unencrypted_sasl2": (24, 12),
    "hosts_alias": (25, 7),
    "sql_schema_multihost": (25, 7),
    "update_sql_schema": (23, 10),
    "invites": (26, 1),
}
"""First release with a feature; only those that some supported release lacks or recently got."""


def has_feature(feature: str, codename: str, channel: Channel) -> bool:
    """Whether the ejabberd of a Debian release and channel has a feature.

    A Debian release that is not in the table (installed with ``--force``) counts as the newest.

    Raises:
        KeyError: the feature is not in the table.
    """
    release = RELEASES.get((codename, channel), max(RELEASES.values()))
    return release >= FEATURES[feature]
