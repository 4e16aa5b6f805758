"""Two reports side by side: the difference of each figure, with its interval over the same queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crossmedia.eval.metrics import interval, mean
from crossmedia.eval.run import TaskResult


@dataclass(frozen=True)
class Difference:
    """Of B minus A in one measure of one task, in [−1, 1]; `low`, `high`: 95 % paired bootstrap."""

    task: str
    measure: str
    before: float
    after: float
    low: float
    high: float

    @property
    def certain(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


def compare(
    before: Sequence[TaskResult], after: Sequence[TaskResult], measures: Sequence[str]
) -> tuple[list[Difference], list[str]]:
    """Differences for the tasks over the same data, and a line for each task that cannot be compared."""
    then = {result.task: result for result in before}
    differences: list[Difference] = []
    left_out = [f"{name}: only in the first report" for name in then.keys() - {r.task for r in after}]
    for result in after:
        old = then.get(result.task)
        if old is None:
            left_out.append(f"{result.task}: only in the second report")
        elif old.fingerprint != result.fingerprint:
            left_out.append(f"{result.task}: over different data ({old.fingerprint}, {result.fingerprint})")
        else:
            for measure in measures:
                a, b = old.measures[measure], result.measures[measure]
                low, high = interval([y - x for x, y in zip(a, b, strict=True)])
                differences.append(Difference(result.task, measure, mean(a), mean(b), low, high))
    return differences, sorted(left_out)
