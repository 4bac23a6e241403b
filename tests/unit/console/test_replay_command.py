"""What `groupbuy replay` refuses before it asks anybody, and when a copy counts as complete."""

import pytest
from typer.testing import CliRunner

from services.console.app import cli
from services.console.replay import Line


@pytest.mark.parametrize(
    "words",
    [
        ["catalog"],
        ["catalog", "--to", "nobody"],
        ["catalog", "--to", "catalog"],
        ["nobody", "--to", "checkout"],
        ["settlement", "--to", "checkout"],
        ["catalog", "--to", "checkout", "--apply"],
    ],
    ids=" ".join,
)
def test_wrong_words_are_a_usage_error_and_reach_no_service(words: list[str]) -> None:
    assert CliRunner().invoke(cli, ["replay", *words]).exit_code == 2


@pytest.mark.parametrize(("said", "kept", "complete"), [(3, 3, True), (3, 4, True), (3, 2, False), (3, None, True)])
def test_a_copy_is_complete_when_it_has_a_row_for_every_event(said: int, kept: int | None, complete: bool) -> None:
    assert Line("catalog.staff_changed.v1", said, kept).complete is complete
