"""What the command says about a searched strength, on curves whose answer is known."""

import pytest

from antidistill.cli.sample_calibrate import outcome
from antidistill.sampling import make
from antidistill.sampling.calibrate import calibrate


def said(share, target, rounds=6):
    found = calibrate(
        lambda sampler: [n < 200 * share(sampler.gamma) for n in range(200)], make("poe"), target, rounds=rounds
    )
    return found, outcome(found)


def test_a_target_that_is_reached_is_said_without_a_warning():
    found, lines = said(lambda gamma: 1 - gamma, 0.6)
    assert found.inside
    assert lines == [
        f"taken: gamma={found.reached.strength:.4g}, teacher accuracy {found.reached.accuracy.value:.3f} "
        f"({found.reached.accuracy.low:.3f} to {found.reached.accuracy.high:.3f})."
    ]


@pytest.mark.parametrize(
    ("share", "target", "why"),
    [
        (lambda gamma: 0.1, 0.6, "even the weakest strength stays below it: see with --method none"),
        (
            lambda gamma: 0.9,
            0.6,
            "even the strongest stays above it: give more --rounds, or start higher with --set gamma=…",
        ),
        (lambda gamma: 0.9 if gamma < 0.3 else 0.1, 0.5, "none comes near enough: give more --rounds."),
    ],
)
def test_a_target_that_is_missed_is_a_warning_with_its_reason(share, target, why):
    found, lines = said(share, target)
    assert not found.inside
    assert lines[0].startswith(f"taken: gamma={found.reached.strength:.4g}, ")
    assert lines[1].startswith(f"warning: the target {target:g} was not reached by the {len(found.tried)} strengths")
    assert why in lines[1]
