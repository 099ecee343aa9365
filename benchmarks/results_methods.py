"""What each method costs, what it does and how sure that is, by the same rules for all of them."""

from collections.abc import Iterator
from typing import Any

from antidistill import registry
from antidistill.report.published import damages
from antidistill.report.standings import Setup, Standing
from results_stored import Stored, damage, estimate, interval, sides

_BUDGETS = {"marker-words": "all", "exchange": "share=1.0"}
_MATCHED = "10% removed"
_PLAIN, _FAINT = 0.85, 0.6
_FEW = 3
"""Seeds below which intervals are called too narrow."""
_SPEED = {"ads": ("none / ads", "ads / alone")}


def method(stored: Stored, name: str) -> Iterator[str]:
    """The section of one method."""
    yield f"### {name}\n"
    yield f"- **Costs.** {' '.join(_costs(stored, name))}"
    yield f"- **Does.** {_does(stored, name)}"
    yield f"- **Is seen.** {_seen(stored, name)}"
    yield f"- **How sure.** {_sure(stored, name)}"
    printed = damages(name)
    what = "points lost, or accuracy of the clean to that of the guarded student, without intervals"
    yield f"- **Printed elsewhere**, {what}: {printed or 'nothing'}.\n"


def _costs(stored: Stored, name: str) -> Iterator[str]:
    if name in registry.names("defenses"):
        yield "The answer stays byte for byte, so the teacher loses nothing."
        if name == "anchors":
            yield "A model runs over every trace, unless its scorer needs none; how fast, [anchors](anchors.md) says."
            return
        yield "No model runs."
        if "guard" in stored.found:
            speed = estimate(stored.found["guard"]["jsonl"]["guard"])
            measured = "" if name == "traceguard" else ", measured with `traceguard`"
            yield f"`guard` does {interval(speed, '%.0f')} MB/s (n = {speed.n}{measured})."
        return
    yield "The teacher's own answers suffer, so its strength is set by what it may cost."
    yield from dict.fromkeys(  # students of one world share their teacher
        f"Teacher in {setup.title.rsplit(', ')[0]}: {interval(standing.teacher, '%.1f', 100)} %."
        for setup, standing in stored.standings(name)
        if standing.teacher is not None
    )
    ratios = stored.found.get("sampling", {}).get("ratios", {})
    if name in _SPEED and all(ratio in ratios for ratio in _SPEED[name]):
        slower, alone = (estimate(ratios[ratio]) for ratio in _SPEED[name])
        yield (
            f"Clean sampling is {interval(slower, '%.2f')} times as fast; its own speed is {interval(alone, '%.2f')} of what a "
            f"teacher step and two proxy steps reach alone (n = {alone.n} rounds)."
        )


def _does(stored: Stored, name: str) -> str:
    found = stored.standings(name)
    if not found:
        return "Damage was not measured."
    lines = [f"{setup.title}: {damage(setup, one)} {setup.unit}{_removed(one)}" for setup, one in found]
    return "; ".join(lines) + "."


def _removed(standing: Standing) -> str:
    return "" if standing.removed_share is None else f" ({standing.removed_share:.1%} removed)"


def _seen(stored: Stored, name: str) -> str:
    budget = _BUDGETS.get(name, _MATCHED)
    cells = [c for c in stored.cells().values() if c["method"] == name and c["budget"] == budget]
    lines = [
        f"{cell['model']}: {interval(estimate(cell['chosen_in_training']), '%.2f')} ({cell['unpaired']['best']}, "
        f"{cell['removed_share']:.1%} removed)"
        for cell in cells
    ]
    lines += [
        f"{setup.title.rsplit(', ')[0]}: {interval(standing.visibility, '%.2f')}"
        for setup, standing in stored.standings(name)
        if setup in stored.lab and standing.visibility is not None
    ]
    lines = list(dict.fromkeys(lines))
    return f"AUROC: {'; '.join(lines)}." if lines else "Visibility was not measured."


def _sure(stored: Stored, name: str) -> str:
    found = stored.standings(name)
    if not found:
        return "Nothing is known of its damage here."
    where = [sides(standing.damage) for _, standing in found if standing.damage]
    counted = (
        f"Of {len(where)} intervals of damage {where.count('above')} lie above zero, {where.count('below')} below, and "
        f"{where.count('open')} include it."
    )
    return f"{counted} {_verdict(where)} {_basis(stored, found)}"


def compared(stored: Stored) -> Iterator[str]:
    """Each method against the control that removes sentences blindly, on real text, paired by trace and seed."""
    control = stored.found.get("real text", {}).get("against_random_sentences", {})
    for name, parts in control.items():
        found = estimate(parts["reasoning_outside_markers"])
        words = {"above": "more than", "below": "less than", "open": "no more and no less than"}[sides(found)]
        yield (
            f"- `{name}` hurts {words} random sentences ({parts['removed_share']:.1%} removed): "
            f"{interval(found, '%+.4f')} nats per token."
        )


def _verdict(where: list[str]) -> str:
    if where.count("above") == len(where):
        return "It hurt students wherever it was tried."
    if where.count("below") and not where.count("above"):
        return "It hurt nobody, and helped some."
    if where.count("below"):
        return "It hurt some and helped others: it depends on the traces."
    return "It hurt some; the rest is not settled." if where.count("above") else "No damage was shown."


def _basis(stored: Stored, found: list[tuple[Setup, Standing]]) -> str:
    parts = []
    if any(setup in stored.lab for setup, _ in found):
        parts.append(f"{stored.found['lab']['experiment']['seeds']} seeds per student in the lab")
    if any(setup in stored.real_text for setup, _ in found):
        conditions = stored.found["real text"]["damage"]
        seeds = conditions[found[-1][1].method]["seeds"]
        few = "" if seeds >= _FEW else ", too few for intervals that hold what seeds do"
        parts.append(f"{seeds} {'seed' if seeds == 1 else 'seeds'} on real text{few}")
    return f"({', '.join(parts)}.)"


def matched(stored: Stored, name: str) -> list[dict[str, Any] | None]:
    """The detections of R1 and QwQ at the budget that students are trained on; None where there is none."""
    budget = _BUDGETS.get(name, _MATCHED)
    return [stored.cells().get(f"{teacher} | {name} | {budget}") for teacher in ("DeepSeek-R1", "QwQ-32B")]


def visibly(stored: Stored) -> Iterator[str]:
    """Methods that are plainly seen and that are hardly seen, by the detector chosen in training, at the budgets of above."""
    for name in stored.methods():
        budget = _BUDGETS.get(name, _MATCHED)
        for cell in stored.cells().values():
            if cell["method"] == name and cell["budget"] == budget and cell["changed"] > cell["n"] / 2:
                seen = estimate(cell["chosen_in_training"])
                if seen.low > _PLAIN:
                    yield f"- `{name}` is plainly visible in {cell['model']} traces: AUROC {interval(seen, '%.2f')}."
                elif seen.high < _FAINT:
                    yield f"- `{name}` is hardly visible in {cell['model']} traces: AUROC {interval(seen, '%.2f')}."
