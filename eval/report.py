"""Results as a report a person reads (Markdown, plots) and a machine compares (JSON)."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from crossmedia.eval.metrics import interval, mean
from crossmedia.eval.run import TaskResult

SHOWN_MEASURES = ("R@1", "R@5", "R@10", "MRR", "mAP", "nDCG@10", "P@10")


@dataclass(frozen=True)
class Context:
    """Where figures come from: without it they say nothing."""

    command: str
    mode: str
    models: tuple[str, ...]
    machine: str = ""

    @staticmethod
    def of(command: str, mode: str, models: Sequence[str]) -> Context:
        named = next((x.split(":")[1].strip() for x in _cpuinfo() if x.startswith("model name")), "")
        cpu = named or platform.processor()  # asked second: it may start a program
        return Context(command, mode, tuple(models), f"{os.cpu_count()} × {cpu}, Python {platform.python_version()}")


def write(folder: Path, context: Context, results: Sequence[TaskResult], cutoff: dict[str, Any] | None) -> None:
    """`report.json`, `report.md` and, where matplotlib is installed, `recall.png` and `reliability.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"context": asdict(context), "results": [asdict(r) for r in results], "cutoff": cutoff}
    (folder / "report.json").write_text(
        json.dumps(content, separators=(",", ":"), default=_short) + "\n", encoding="utf-8"
    )
    (folder / "report.md").write_text(
        markdown(context, results, cutoff, _plots(folder, results, cutoff)), encoding="utf-8"
    )


def read_report(folder: Path) -> tuple[Context, list[TaskResult]]:
    """What `write` wrote."""
    content = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    results = [
        TaskResult(
            r["task"],
            r["fingerprint"],
            r["gallery"],
            tuple(r["ranks"]),
            {k: tuple(v) for k, v in r["measures"].items()},
        )
        for r in content["results"]
    ]
    return Context(**{**content["context"], "models": tuple(content["context"]["models"])}), results


def markdown(
    context: Context, results: Sequence[TaskResult], cutoff: dict[str, Any] | None, plots: Sequence[str] = ()
) -> str:
    """A table with 95 % intervals in brackets; percentages."""
    lines = [
        f"# Retrieval quality, {context.mode} mode",
        "",
        f"Command: `{context.command}`  ",
        f"Machine: {context.machine}  ",
        f"Models: {', '.join(f'`{m}`' for m in context.models)}",
        "",
        "Brackets: 95 % bootstrap interval over queries. medR: median rank of the first right answer (∞: not "
        "returned).",
        "",
        "| task | data | gallery | queries | " + " | ".join(SHOWN_MEASURES) + " | medR |",
        "|---|---|---|---|" + "---|" * (len(SHOWN_MEASURES) + 1),
    ]
    for result in results:
        cells = [
            str(result.gallery),
            str(len(result.ranks)),
            *(_cell(result.measures[name]) for name in SHOWN_MEASURES),
        ]
        lines.append(f"| {result.task} | {result.fingerprint} | {' | '.join(cells)} | {median_rank(result.ranks)} |")
    if cutoff:
        lines += ["", "## The cut-off", "", "| | share | of |", "|---|---|---|"]
        lines += [f"| {row['what']} | {100 * row['share']:.1f} % | {row['of']} |" for row in cutoff["shares"]]
    lines += ["", *(f"![{name}]({name})" for name in plots)]
    return "\n".join(lines).rstrip() + "\n"


def median_rank(ranks: Sequence[int]) -> str:
    """Of ranks where 0 means none.

    >>> median_rank([1, 3, 0]), median_rank([0, 0, 1])
    ('3', '∞')
    """
    ordered = sorted(rank or float("inf") for rank in ranks)
    middle = ordered[len(ordered) // 2] if ordered else float("inf")
    return "∞" if middle == float("inf") else f"{middle:.0f}"


def _cell(values: Sequence[float]) -> str:
    low, high = interval(values)
    return f"{100 * mean(values):.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def _plots(folder: Path, results: Sequence[TaskResult], cutoff: dict[str, Any] | None) -> list[str]:
    try:
        import matplotlib
    except ImportError:
        return []
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 0.5 + 0.45 * len(results)))
    names = [r.task for r in results]
    for k, colour in (("R@10", "#bcd"), ("R@5", "#79b"), ("R@1", "#246")):
        axes.barh(names, [100 * mean(r.measures[k]) for r in results], color=colour, label=k)
    axes.invert_yaxis()
    axes.set_xlabel("% of queries with a right answer among the first k")
    axes.legend(loc="lower right")
    figure.savefig(folder / "recall.png", dpi=80, bbox_inches="tight")
    pyplot.close(figure)
    made = ["recall.png"]
    if cutoff and cutoff.get("reliability"):
        figure, axes = pyplot.subplots(figsize=(4.5, 4.5))
        bins = cutoff["reliability"]
        axes.plot([0, 1], [0, 1], color="#ccc", linewidth=1)
        axes.plot([b["relevance"] for b in bins], [b["right"] for b in bins], marker="o", color="#246")
        axes.set_xlabel("relevance the engine gave")
        axes.set_ylabel("share of hits that are right (balanced pairs)")
        figure.savefig(folder / "reliability.png", dpi=80, bbox_inches="tight")
        pyplot.close(figure)
        made.append("reliability.png")
    return made


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def _short(value: Any) -> Any:
    raise TypeError(f"{type(value).__name__} does not belong in a report")
