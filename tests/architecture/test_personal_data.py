"""Whatever is kept of a person is known, what erasing them does to it, and where it is in what they are given."""

import re
from collections import Counter
from typing import Any

from tortoise.models import Model

import models
from services.data_export_files import ALSO, FILES, IN_FRENCH, WITHHELD
from services.personal_data import HELD, NUMBER, OURS, texts

SECRET = re.compile("token|secret|sealed|password|data_key|file_key|_hash")  # which nobody is given of anything


def leading_to_clients() -> set[type[Model]]:
    """The models from which keys lead to a client, over others or not."""
    every = {each for each in vars(models).values() if isinstance(each, type) and issubclass(each, Model)}
    named: dict[type[Model], set[Any]] = {
        each: {
            each._meta.fields_map[name].related_model  # type: ignore[attr-defined]
            for name in each._meta.fk_fields | each._meta.o2o_fields
        }
        for each in every
    }
    found: set[type[Model]] = {models.Client}
    while more := {each for each in every - found if named[each] & found}:
        found |= more
    return found


def test_every_table_that_leads_to_a_client_says_what_erasing_does_to_it() -> None:
    assert {each.__name__ for each in HELD} == {each.__name__ for each in leading_to_clients()}


def test_every_text_of_these_is_taken_away_or_kept_for_a_reason() -> None:
    for model, held in HELD.items():
        assert held.deleted or texts(model) == (held.blanked.keys() & texts(model)) | held.kept.keys(), model.__name__
        assert not held.blanked.keys() & held.kept.keys(), model.__name__
        assert held.blanked.keys() <= model._meta.fields_map.keys(), model.__name__
        assert all(held.kept.values()) and held.because


def test_what_is_deleted_is_named_by_nothing_that_stays() -> None:
    deleted = [model for model, held in HELD.items() if held.deleted]
    for place, model in enumerate(HELD):
        for name in model._meta.fk_fields:
            target = model._meta.fields_map[name].related_model
            assert target not in deleted or deleted.index(target) > place, (model.__name__, name)


def test_every_table_of_a_client_is_in_one_file_of_what_they_are_given() -> None:
    places = Counter(table.__name__ for file in FILES for table in file.tables)
    assert dict(places) == {each.__name__: 1 for each in HELD}
    assert len({file.name for file in FILES}) == len(FILES)


def test_every_reason_is_told_in_french_too() -> None:
    assert {held.because for held in HELD.values()} == {*IN_FRENCH, OURS, NUMBER}
    assert all(file.french and file.english for file in FILES)


def test_what_is_withheld_is_there_to_withhold_for_a_reason_and_no_secret_is_given() -> None:
    for table, columns in WITHHELD.items():
        assert columns.keys() <= table._meta.fields_db_projection.keys() and all(columns.values()), table.__name__
    for table in HELD:
        given = {*table._meta.fields_db_projection, *ALSO.get(table, ())} - WITHHELD.get(table, {}).keys()
        assert not [name for name in given if SECRET.search(name)], table.__name__
        assert not ALSO.get(table, {}).keys() & table._meta.fields_map.keys() - table._meta.fk_fields, table.__name__
