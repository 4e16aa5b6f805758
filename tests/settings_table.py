"""The table of settings in the documentation, made from the settings themselves.

python -m tests.settings_table writes it into docs/settings.md
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import SecretStr

from crossmedia.api.settings import Settings

FILE = Path(__file__).resolve().parents[1] / "docs" / "settings.md"
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->"


def table() -> str:
    """One row a setting: variable, default, meaning."""
    prefix = Settings.model_config["env_prefix"]
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        meaning = " ".join((field.description or "").split()).replace("|", "\\|")
        rows.append(f"| `{prefix}{name.upper()}` | {_shown(field.default)} | {meaning} |")
    return "\n".join(rows) + "\n"


def _shown(default: Any) -> str:
    value = default.get_secret_value() if isinstance(default, SecretStr) else default
    if value in (None, "", ()):
        return ""
    return {True: "`true`", False: "`false`"}[value] if isinstance(value, bool) else f"`{value}`"


def written(text: str) -> str:
    """The document with the table as it has to be."""
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    FILE.write_text(written(FILE.read_text(encoding="utf-8")), encoding="utf-8")
