"""Selection on small score tables made by hand."""

from typing import Any

from metaspo.methods.selection import best_system, in_order, keep_best, keep_systems, meta_score
from metaspo.workspace.state import Candidate, Incumbent, Kept, Score


def kept(id: str, score: float) -> Kept:
    return {"id": id, "text": id.upper(), "score": score, "failures": 1}


def candidate(id: str | None, task: str = "", position: int = 0) -> Candidate:
    return {"task": task, "position": position, "parent": "p", "id": id, "text": id, "reason": None}


def table(scores: dict[tuple[str, str, str], float]) -> dict[tuple[str, str, str], Score]:
    def score(key: tuple[str, str, str], value: float) -> Any:
        return {"task": key[0], "system": key[1], "user": key[2], "score": value, "failures": 2}

    return {key: score(key, value) for key, value in scores.items()}


def ids(prompts: list[Kept]) -> list[str]:
    return [prompt["id"] for prompt in prompts]


def test_ties_keep_the_earlier_prompt_first() -> None:
    scores = table({("t", "s", "x"): 0.5, ("t", "s", "y"): 0.6, ("t", "s", "z"): 0.5})
    new = [candidate(id, "t", at) for at, id in enumerate("xyz")]
    assert ids(keep_best([kept("old", 0.5)], new, "s", scores, 3)) == ["y", "old", "x"]


def test_keep_best_never_loses_the_best_old_prompt() -> None:
    scores = table({("t", "s", "x"): 0.1})
    assert ids(keep_best([kept("a", 0.9), kept("b", 0.2)], [candidate("x", "t")], "s", scores, 2)) == ["a", "b"]


def test_an_equal_meta_score_does_not_replace_the_incumbent() -> None:
    incumbent: Incumbent = {"id": "old", "text": "old", "score": 0.5}
    scores = table({("t", "new", "u"): 0.5})
    best, under = best_system(incumbent, {"t": [kept("u", 0.5)]}, [candidate("new")], scores)
    assert best == incumbent and under["t"][0]["failures"] == 1


def test_the_first_of_two_equal_candidates_wins() -> None:
    incumbent: Incumbent = {"id": "old", "text": "old", "score": 0.5}
    scores = table({("t", "one", "u"): 0.7, ("t", "two", "u"): 0.7, ("t", "three", "u"): 0.6})
    best, _ = best_system(incumbent, {"t": [kept("u", 0.5)]}, [candidate(id) for id in ("one", "two", "three")], scores)
    assert (best["id"], best["score"]) == ("one", 0.7)


def test_user_prompts_are_sorted_again_under_the_new_system_prompt() -> None:
    incumbent: Incumbent = {"id": "old", "text": "old", "score": 0.45}
    before = {"t": [kept("u", 0.6), kept("v", 0.3)], "w": [kept("k", 0.5), kept("l", 0.4)]}
    scores = table({("t", "new", "u"): 0.4, ("t", "new", "v"): 0.8, ("w", "new", "k"): 0.5, ("w", "new", "l"): 0.5})
    best, after = best_system(incumbent, before, [candidate("new")], scores)
    assert best["id"] == "new" and abs(best["score"] - 0.55) < 1e-12
    assert ids(after["t"]) == ["v", "u"] and ids(after["w"]) == ["k", "l"]
    assert after["t"][0]["score"] == 0.8 and after["t"][0]["failures"] == 2


def test_meta_score_is_the_mean_over_pairs_not_over_tasks() -> None:
    assert abs(meta_score({"a": [kept("x", 1.0)], "b": [kept("y", 0.0), kept("z", 0.5)]}) - 0.5) < 1e-12


def test_the_same_scores_in_another_order_are_a_tie() -> None:
    before, after = [0.1, 0.2, 0.3, 0.6], [0.6, 0.3, 0.2, 0.1]
    assert sum(before) != sum(after)
    incumbent: Incumbent = {"id": "old", "text": "old", "score": meta_score({"t": [kept("u", score) for score in before]})}
    users = {name: [kept("u", 0.0)] for name in "abcd"}
    scores = table({(name, "new", "u"): score for name, score in zip("abcd", after, strict=True)})
    assert best_system(incumbent, users, [candidate("new")], scores)[0] == incumbent


def test_the_beam_holds_the_incumbent_then_the_best_of_the_others_once() -> None:
    def system(id: str, score: float) -> Incumbent:
        return {"id": id, "text": id, "score": score}

    tried = [system("seed", 0.5), system("b", 0.6), system("c", 0.7), system("d", 0.6), system("b", 0.6)]
    assert [p["id"] for p in keep_systems(tried[2], tried, 3)] == ["c", "b", "d"]
    assert [p["id"] for p in keep_systems(tried[2], tried, 9)] == ["c", "b", "d", "seed"]


def test_candidates_are_taken_by_position_and_dropped_ones_left_out() -> None:
    mixed = [candidate("c", position=2), candidate(None, position=1), candidate("a", position=0)]
    assert [found["id"] for found in in_order({"candidates": mixed})] == ["a", "c"]
