"""How often the search for a profile finds what it should, in a simulation of its whole path without any model.

python -m tests.evaluation.study.simulated_tuning      300 repetitions of 300 cases; evidence changes a fifth of them
"""

from collections.abc import Mapping, Sequence
from typing import Final

from tests.evaluation.study.test_selection import PROFILES, REPETITIONS, decide_all

ALONE: Final[Mapping[str, Sequence[float]]] = {
    "no profile helps": [0.0] * len(PROFILES),
    "one of 29 gains 8 points": [0.0] * 11 + [0.08] + [0.0] * 17,
    "one of 29 gains 15 points": [0.0] * 11 + [0.15] + [0.0] * 17,
    "one of 8 gains 8 points": [0.0] * 4 + [0.08] + [0.0] * 3,
    "a third gain 8 points, a third 4": [(0.0, 0.04, 0.08)[place % 3] for place in range(len(PROFILES))],
    "all lose 0 to 6 points": [-0.02 * (place % 4) for place in range(len(PROFILES))],
}


def main() -> None:
    """Print, for each situation, how often off stays, and how often something better or worse is chosen."""
    print(f"{'':<34} {'off stays':>10} {'better':>8} {'useless':>8} {'worse':>8}")  # noqa: T201  a command
    for seed, (name, means) in enumerate(ALONE.items()):
        chosen = decide_all(means, seed=seed)
        gains = [gain for gain in chosen if gain is not None]
        counts = (chosen.count(None), sum(g > 0 for g in gains), gains.count(0.0), sum(g < 0 for g in gains))
        cells = " ".join(f"{100 * count / REPETITIONS:>6.1f} %" for count in counts)
        print(f"{name:<34}   {cells}")  # noqa: T201  a command


if __name__ == "__main__":
    main()
