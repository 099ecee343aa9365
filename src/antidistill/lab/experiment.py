"""What is compared: worlds, methods, students, seeds, and how large everything is."""

from __future__ import annotations

from dataclasses import dataclass

from antidistill.errors import BadOption, UnknownName
from antidistill.lab.methods import CLEAN, is_text
from antidistill.lab.roster import STUDENTS
from antidistill.lab.school import School
from antidistill.lab.sizes import DEFAULT, QUICK, Sizes
from antidistill.lab.store import Store
from antidistill.lab.worlds import make

WORLDS = ("corrections", "decoration")
METHODS = ("none", "traceguard", "marker-words", "branches", "exchange", "random-sentences", "temperature", "ads")
PAIR = ("llama", "qwen2")


@dataclass(frozen=True, slots=True)
class Experiment:
    """What is compared.

    Attributes:
        worlds: names, with knobs where wanted (`corrections:slip=0.4`).
        methods: text defenses and samplers; `none` is always among them.
        students: names out of `STUDENTS`.
        seeds: students of each kind per method.
        sizes: how much of everything.
        share: share of the characters that text defenses remove, in (0, 1).
        price: accuracy of the teacher that samplers may cost, in (0, 1).
        seed: of problems and teachers.
    """

    worlds: tuple[str, ...] = WORLDS
    methods: tuple[str, ...] = METHODS
    students: tuple[str, ...] = PAIR
    seeds: int = 3
    sizes: Sizes = DEFAULT
    share: float = 0.2
    price: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("worlds", "methods", "students"):
            given = getattr(self, name)
            if not given or len(set(given)) < len(given):
                raise BadOption(name, ",".join(given), "at least one name, none of them twice")
        for student in self.students:
            if student not in STUDENTS:
                raise UnknownName("student", student, STUDENTS)
        for method in self.methods:
            is_text(method)
        for world in self.worlds:
            make(world)
        if self.seeds < 1:
            raise BadOption("seeds", self.seeds, "a whole number of at least 1")
        for name in ("share", "price"):
            if not 0 < getattr(self, name) < 1:
                raise BadOption(name, getattr(self, name), "a number above 0 and below 1")

    @property
    def rows(self) -> tuple[str, ...]:
        """All methods, `none` first."""
        return (CLEAN, *(method for method in self.methods if method != CLEAN))

    def schools(self, store: Store) -> dict[str, School]:
        """A school for each world, its courses at the world's pace."""
        worlds = {name: make(name) for name in self.worlds}
        return {
            name: School(world, self.sizes.at_pace(world.pace), self.seed, self.share, self.price, store)
            for name, world in worlds.items()
        }


QUICK_RUN = Experiment(
    worlds=("plan",), methods=("none", "traceguard", "ads"), students=("llama",), seeds=1, sizes=QUICK
)
