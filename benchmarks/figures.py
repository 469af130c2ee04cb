"""What a benchmark hands back: figures with their spread, and the bound that each is held against."""

from collections.abc import Iterable, Sequence

from msgspec import Struct


class Figure(Struct, frozen=True, kw_only=True):
    """One measured quantity."""

    name: str
    unit: str
    median: float
    p10: float
    p90: float
    worst: float
    n: int
    at_most: float | None = None
    """What was promised of the median; None where nothing was."""
    aim: float | None = None

    @property
    def verdict(self) -> str:
        if self.at_most is None:
            return ""
        if self.median > self.at_most:
            return f"MISSED, at most {number(self.at_most)}"
        reached = self.aim is None or self.median <= self.aim
        aim = "" if self.aim is None else f", aim {number(self.aim)}{'' if reached else ' missed'}"
        return f"at most {number(self.at_most)}{aim}"


def measured(
    name: str, unit: str, values: Iterable[float], *, at_most: float | None = None, aim: float | None = None
) -> Figure:
    """The figure of these values, of which there is at least one."""
    ordered = sorted(values)
    return Figure(
        name=name,
        unit=unit,
        median=quantile(ordered, 0.5),
        p10=quantile(ordered, 0.1),
        p90=quantile(ordered, 0.9),
        worst=ordered[-1],
        n=len(ordered),
        at_most=at_most,
        aim=aim,
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """Between the two nearest values, as much of each as it is near."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def number(value: float) -> str:
    """Three digits that matter, and no exponent."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


HEAD = ("benchmark", "figure", "unit", "median", "p10", "p90", "worst", "n", "bound")


def row(benchmark: str, figure: Figure) -> tuple[str, ...]:
    spread = (figure.median, figure.p10, figure.p90, figure.worst)
    return (benchmark, figure.name, figure.unit, *map(number, spread), str(figure.n), figure.verdict)


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """A table in Markdown whose columns are aligned, so that a terminal shows it as well."""
    lines = [HEAD, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    shown = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    return "\n".join([shown[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *shown[1:]])
