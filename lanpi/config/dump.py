"""A configuration as the text of lanpi.yml."""

import yaml

from lanpi.config.model import Config

_HEADER = "# The settings of lanpi on this Pi; `lanpi config example` explains every key.\n"


def dump(config: Config) -> str:
    """The keys that differ from their defaults, as YAML that reads back to the same configuration."""
    values = config.model_dump(mode="json", exclude_defaults=True)
    body = yaml.safe_dump(values, sort_keys=True, allow_unicode=True) if values else ""
    return _HEADER + body
