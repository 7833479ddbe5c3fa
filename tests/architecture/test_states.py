"""The tables of states: what the documentation shows is what the code asks, and nothing leads out of an end."""

from pathlib import Path

import pytest

from models.states import DISPUTE, MACHINES, REFUND, DisputeStatus, RefundStatus

ARCHITECTURE = (Path(__file__).parent.parent.parent / "docs" / "architecture.md").read_text()


@pytest.mark.parametrize("name", MACHINES)
def test_the_documentation_shows_the_table(name: str) -> None:
    rows = [f"| `{state}` | `{news.value}` | `{then}` |" for state, news, then in MACHINES[name].rows()]

    assert "\n".join([f"| {name} | news | then |", "| --- | --- | --- |", *rows]) + "\n" in ARCHITECTURE


@pytest.mark.parametrize("name", MACHINES)
def test_every_state_has_a_row_and_every_row_leads_to_a_state(name: str) -> None:
    table = MACHINES[name].table

    assert set(table) == set(type(next(iter(table))))
    assert {then for _, _, then in MACHINES[name].rows()} <= set(table)


def test_nothing_leads_out_of_an_end() -> None:
    assert not any(REFUND.table[end] for end in (RefundStatus.FAILED, RefundStatus.CANCELED))
    assert not any(DISPUTE.table[end] for end in (DisputeStatus.WON, DisputeStatus.LOST))
