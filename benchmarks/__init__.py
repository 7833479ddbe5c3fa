"""The measured claims, rerunnable: `python -m benchmarks.reads --help`."""
