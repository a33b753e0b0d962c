"""Score a large file of dialogues offline with Ray Data: the same SEM, one actor a core, nothing in memory at once.

python score.py dialogues.jsonl scored/          one {"dialogue": [text, …]} a line → a folder of JSON lines
"""

import sys
from pathlib import Path
from typing import Any

import ray

from hef_graph import load_sem
from hef_graph.sem.plugins.exchange import analysis_to_json


class Scorer:
    """Reads batches on one core."""

    def __init__(self) -> None:
        self._sem = load_sem()

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Adds each dialogue's first emotion and the whole analysis."""
        dialogues = [[str(text) for text in dialogue] for dialogue in batch["dialogue"]]
        analyses = self._sem.analyze(dialogues)
        emotions = [analysis.emotions[0].label for analysis in analyses]
        return {**batch, "emotion": emotions, "analysis": [analysis_to_json(analysis) for analysis in analyses]}


def main(source: Path, target: Path, actors: int = 2) -> int:
    """Score, write, and return how many dialogues there were."""
    ray.init(ignore_reinit_error=True, log_to_driver=False)
    scored = ray.data.read_json(str(source), lines=True).map_batches(Scorer, batch_size=256, concurrency=actors)
    scored.write_json(f"local://{target.resolve()}")
    return int(ray.data.read_json(str(target), lines=True).count())


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), Path(sys.argv[2])), "dialogues scored")
