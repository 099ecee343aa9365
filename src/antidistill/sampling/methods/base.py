"""What a sampler is: a pure function of the teacher's logits and of one step's state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from antidistill.errors import BadOption, UsageError

if TYPE_CHECKING:
    from antidistill.sampling.decode.draws import Draws


@dataclass(frozen=True, slots=True)
class Aids:
    """What a defender owns beside the teacher; a method takes what it needs.

    Attributes:
        proxy: causal language model with the teacher's tokenizer, the stand-in for a student.
        gradient: `proxies.gradient.Gradient` of the proxy's loss on clean holdout traces.
        head: `proxies.heads.Head` that DOGe trained.
    """

    proxy: Any = None
    gradient: Any = None
    head: Any = None
    _made: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    def pair(self, eps: float, precision: str) -> tuple[Any, Any]:
        """The proxies theta + eps g and theta - eps g, made once."""
        from antidistill.sampling.proxies.derivative import perturbed

        if (eps, precision) not in self._made:
            self._made.clear()  # two models at a time
            self._made[eps, precision] = tuple(
                perturbed(self.proxy, self.gradient, step, precision) for step in (eps, -eps)
            )
        found: tuple[Any, Any] = self._made[eps, precision]
        return found

    def facts(self, names: Sequence[str]) -> dict[str, Any]:
        """What a record says of the named aids; models are named by whoever loaded them."""
        found = {name: getattr(getattr(self, name), "facts", None) for name in names}
        return {name: facts for name, facts in found.items() if facts is not None}

    def need(self, method: str, *names: str) -> list[Any]:
        """The named aids.

        Raises:
            UsageError: one of them was not given.
        """
        for name in names:
            if getattr(self, name) is None:
                raise UsageError(f"{method} needs a {name}, and none was given; it needs: {', '.join(names)}.")
        return [getattr(self, name) for name in names]


@dataclass(frozen=True, slots=True)
class Step:
    """The state of the rows at one step, beside the teacher's logits.

    Attributes:
        temperature: tau that the logits will be divided by.
        draws: of each row, where all chance comes from.
        positions: of each row, reasoning tokens before this one.
        spans: of each row, how many positions a method with a mask may choose from.
        signals: what the method's follower read at this step, by name, each (rows, proxy's vocabulary) or (rows, width).
    """

    temperature: float
    draws: Sequence[Draws]
    positions: Sequence[int]
    spans: Sequence[int]
    signals: Mapping[str, Any] = field(default_factory=dict)


class Follower(Protocol):
    """Models that read along with the teacher."""

    def start(self, prompts: Sequence[Sequence[int]]) -> Mapping[str, Any]:
        """Reads the prompts, forgets what was read before, and yields the signals of the first step."""
        ...

    def step(self, tokens: Sequence[int]) -> Mapping[str, Any]:
        """Reads one more token of each row and yields the signals of the next step."""
        ...

    def keep(self, rows: Sequence[int]) -> None:
        """Goes on with these rows only."""
        ...


class Sampler(Protocol):
    """A white-box defense: options only (a frozen dataclass); models come as `Aids`.

    Attributes:
        name: as it is registered.
        aids: names of the aids that it needs.
        strength: its option that trades the teacher's accuracy for damage; more is stronger. None where there is none.
        hidden: whether it needs the teacher's last hidden state, as the signal "hidden".
    """

    name: ClassVar[str]
    aids: ClassVar[tuple[str, ...]]
    strength: ClassVar[str | None]
    hidden: ClassVar[bool]

    @property
    def post_hoc(self) -> bool:
        """Whether tokens of a finished clean trace are drawn anew, on clean context."""
        ...

    def follower(self, aids: Aids) -> Follower | None:
        """The models that read along; None where the method needs none."""
        ...

    def __call__(self, logits: Any, step: Step) -> Any:
        """The changed logits; a pure function, which a serving engine may call as well.

        Args:
            logits: raw logits of the teacher, before the temperature, float32, (rows, vocabulary); not changed.
            step: state of the same rows.

        Returns:
            Logits such that softmax(logits / temperature) is what is sampled, (rows, vocabulary).
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Simple:
    """Base of samplers that follow the teacher token by token and need nothing beside it."""

    aids: ClassVar[tuple[str, ...]] = ()
    strength: ClassVar[str | None] = None
    hidden: ClassVar[bool] = False

    @property
    def post_hoc(self) -> bool:
        """Whether tokens of a finished clean trace are drawn anew."""
        return False

    def follower(self, aids: Aids) -> Follower | None:
        """No models read along."""
        return None


def check_number(option: str, given: object, low: float, what: str, *, above: bool = False) -> None:
    """Raises BadOption unless `given` is a number of at least (or, with `above`, more than) `low`."""
    number = isinstance(given, int | float) and not isinstance(given, bool)
    if not number or not (given > low if above else given >= low) or given == float("inf"):  # type: ignore[operator]
        raise BadOption(option, given, what)
