"""Add up the reports of a divided job's parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def add_reports(reports: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Numbers are added, lists and objects joined; a text that several lists hold is kept once, and what one says is
    true stays true.

    >>> add_reports([{"added": 1, "notes": ["no OCR"]}, {"added": 2, "notes": ["no OCR"], "gone": ["a"]}])
    {'added': 3, 'notes': ['no OCR'], 'gone': ['a']}
    """
    total: dict[str, Any] = {}
    for report in reports:
        for name, value in report.items():
            held = total.get(name)
            if held is None:
                total[name] = (
                    list(value) if isinstance(value, list) else dict(value) if isinstance(value, dict) else value
                )
            elif isinstance(value, bool):
                total[name] = held or value
            elif isinstance(value, (int, float)):
                total[name] = held + value
            elif isinstance(value, dict):
                held.update(value)
            elif isinstance(value, list):
                texts = {item for item in held if isinstance(item, str)}
                held.extend(item for item in value if not isinstance(item, str) or item not in texts)
    return total
