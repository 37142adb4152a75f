"""Names of prompts: valid everywhere, the same for the same task, and never another's."""

import re

import pytest

from metaspo.reports.kept.names import names

HANDLE = re.compile(r"[a-z][a-z0-9_-]*")


def test_names_stay_as_they_are_where_they_can() -> None:
    assert names("support", ["app_reviews", "b-2"]) == {
        "": "support",
        "app_reviews": "support-app_reviews",
        "b-2": "support-b-2",
    }


def test_only_spaces_and_capitals_change_without_a_mark() -> None:
    assert names("My Support", [" Ticket  Routing "])[" Ticket  Routing "] == "My-Support-Ticket-Routing"
    assert names("My Support", ["Ticket Routing"], lower=True)["Ticket Routing"] == "my-support-ticket-routing"


@pytest.mark.parametrize("name", ["票据", "C++", "C#", "a/b", "../x", "", "-", "1st", "é", "x" * 300, "a\nb", "a:b", "\ud800"])
def test_every_name_becomes_valid_and_stays_its_own(name: str) -> None:
    found = names(name, [name, "ok"], lower=True)
    assert all(HANDLE.fullmatch(one) and len(one) < 256 for one in found.values()), found
    assert names(name, ["ok", name], lower=True) == found
    assert names("n", ["C++"]) != names("n", ["C#"]) and len(set(names("n", ["C++", "C#", "C"]).values())) == 4


def test_names_that_would_be_one_are_told_apart() -> None:
    found = names("n", ["a b", "a-b", "A-B"])
    assert found["A-B"] == "n-A-B" and len({name.casefold() for name in found.values()}) == 4
