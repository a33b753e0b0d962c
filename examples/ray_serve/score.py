"""Score a large file of dialogues offline with Ray Data and the same SEM, in batches on several actors.

python score.py dialogues.jsonl scored/ [actors]          one {"dialogue": [text, …]} a line → a folder of JSON lines

`analysis` is what `hef serve-sem` answers, as JSON text, so that every line has the same columns.
"""

import sys
import time
from pathlib import Path
from typing import Any

import ray

from hef_graph import load_sem
from hef_graph.sem.plugins.exchange import analysis_to_json, write_json

SHARE = 0.5
"""Of a core, reserved for an actor: with a whole one each, an actor a core leaves none to those who read and write."""


class Scorer:
    """Reads batches on one thread."""

    def __init__(self) -> None:
        self._sem = load_sem()

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Adds each dialogue's first emotion and the whole analysis."""
        dialogues = [[str(text) for text in dialogue] for dialogue in batch["dialogue"]]
        analyses = self._sem.analyze(dialogues)
        emotions = [analysis.emotions[0].label for analysis in analyses]
        return {**batch, "emotion": emotions, "analysis": [write_json(analysis_to_json(a)).decode() for a in analyses]}


def main(source: Path, target: Path, actors: int = 2) -> int:
    """Score, write, and return how many dialogues there were."""
    ray.init(ignore_reinit_error=True, log_to_driver=False)
    pool = ray.data.ActorPoolStrategy(size=actors)
    dialogues = ray.data.read_json(str(source), lines=True)
    scored = dialogues.map_batches(Scorer, batch_size=256, compute=pool, num_cpus=SHARE)
    scored.write_json(f"local://{target.resolve()}")
    return sum(len(part.read_text().splitlines()) for part in target.glob("*.json"))


if __name__ == "__main__":
    begun = time.monotonic()
    count = main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:]))
    seconds = time.monotonic() - begun
    print(f"{count} dialogues scored in {seconds:.1f} s, the start of Ray included: {count / seconds:.0f} a second")
