"""Keeping promises: arq wakes the lanes, the outbox says what is owed."""
