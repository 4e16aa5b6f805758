"""Figures with their intervals, in sections: as Markdown for people, as JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from crossmedia.eval.metrics import interval, mean
from crossmedia.eval.report import Context

Unit: TypeAlias = Literal["%", "s", ""]


@dataclass(frozen=True)
class Figure:
    """`value` with its 95 % interval, if it has one, over `of` cases. A share is in [0, 1] and shown in percent."""

    what: str
    value: float
    unit: Unit = "%"
    of: int | None = None
    low: float | None = None
    high: float | None = None
    target: str = ""

    @property
    def shown(self) -> str:
        """
        >>> Figure("found", 0.9, low=0.8, high=0.95).shown
        '90.0 % [80.0, 95.0]'
        """
        text = self._number(self.value) + (f" {self.unit}" if self.unit else "")
        if self.low is None or self.high is None:
            return text
        return f"{text} [{self._number(self.low)}, {self._number(self.high)}]"

    def excludes(self, value: float) -> bool:
        """Whether a value lies outside the interval; never where there is none."""
        return self.low is not None and self.high is not None and not self.low <= value <= self.high

    def _number(self, value: float) -> str:
        return f"{100 * value:.1f}" if self.unit == "%" else f"{value:.3f}" if self.unit == "s" else f"{value:g}"


@dataclass(frozen=True)
class Section:
    """What was measured together, in so many seconds. `note`: what the figures are of; `details`: cases worth a
    look."""

    title: str
    note: str
    figures: tuple[Figure, ...]
    details: tuple[str, ...] = ()
    seconds: float = 0.0


def share(what: str, cases: Sequence[bool], target: str = "") -> Figure:
    """The share of true cases with its bootstrap interval."""
    values = [float(case) for case in cases]
    return Figure(what, mean(values), "%", len(values), *interval(values), target)


def write(folder: Path, title: str, context: Context, sections: Sequence[Section]) -> None:
    """`report.json` and `report.md`."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"context": asdict(context), "sections": [asdict(section) for section in sections]}
    (folder / "report.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "report.md").write_text(markdown(title, context, sections), encoding="utf-8")


def markdown(title: str, context: Context, sections: Sequence[Section]) -> str:
    """Tables with 95 % intervals in brackets."""
    lines = [
        f"# {title}",
        "",
        f"Command: `{context.command}`  ",
        f"Machine: {context.machine}  ",
        f"Models: {', '.join(f'`{m}`' for m in context.models)}  ",
        f"Took: {sum(section.seconds for section in sections):.0f} s",
        "",
        "Brackets: 95 % bootstrap interval.",
    ]
    for section in sections:
        lines += ["", f"## {section.title}", "", f"{section.note} Took {section.seconds:.0f} s.", ""]
        lines += ["| | measured | of | target |", "|---|---|---|---|"]
        lines += [f"| {f.what} | {f.shown} | {'' if f.of is None else f.of} | {f.target} |" for f in section.figures]
        if section.details:
            lines += ["", *(f"- {detail}" for detail in section.details)]
    return "\n".join(lines) + "\n"


def is_sectioned(folder: Path) -> bool:
    """Whether a report is one of figures in sections, not one of queries."""
    return "sections" in json.loads((folder / "report.json").read_text(encoding="utf-8"))


def read_sections(folder: Path) -> list[Section]:
    """The sections that `write` wrote, without their details."""
    content = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return [
        Section(section["title"], section["note"], tuple(Figure(**figure) for figure in section["figures"]))
        for section in content["sections"]
    ]
