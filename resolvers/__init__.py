"""Root fields: load, call, return; five lines a field."""
