"""Students: training on traces, evaluation, recipes of published set-ups.

Torch and what else trains is loaded on the first call, not by this import.
"""

from antidistill.distill.evaluate import Forcer, evaluate
from antidistill.distill.layout import Layout
from antidistill.distill.questions import Question
from antidistill.distill.scores import Comparison, Evaluation, Outcome, compare
from antidistill.distill.settings import Asking, Lora, Training
from antidistill.distill.train import Trained, train

__all__ = [
    "Asking",
    "Comparison",
    "Evaluation",
    "Forcer",
    "Layout",
    "Lora",
    "Outcome",
    "Question",
    "Trained",
    "Training",
    "compare",
    "evaluate",
    "train",
]
