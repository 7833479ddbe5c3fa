"""Reads as plans: a document, an operation, a kind of viewer and the shape of the arguments become SQL and Python,
once.

    planning.py    finds or makes the plans of a query, and says when there is none
    root.py        a root field: its queryset (scopes.py), its arguments (arguments.py), its plans by shape
    compiler.py    a selection becomes statements (statements.py) and the Python that puts rows together (python.py):
                   rows.py, lists.py, pages.py and boards.py, which call each other as selections nest; state.py is
                   what they share
    running.py     statements → rows → dicts
    explaining.py  all of it, for people to read

A plan answers as the ordinary executor does, to the byte, or not at all: what it cannot do, and every surprise, is
answered by another way. No scope, no plan.
"""

from engine.plans.planning import Plans

__all__ = ["Plans"]
