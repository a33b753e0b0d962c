"""How fast it is, beside what a user would pick instead: both in one run, side by side (`tools/benchmark.py`)."""
