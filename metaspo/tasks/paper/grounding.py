"""Question answering over a context: the conversions, and BM25 for the tasks that retrieve theirs."""

import re
import warnings
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from ...domain.errors import MissingExtraError
from .conversions import Conversion, Draft, Record, Unusable

PASSAGE_WORDS = 100
"""The length of a passage that is cut from a page, as in DPR's Wikipedia."""
MOST_PASSAGES = 40
"""How many passages of one record are retrieved from: the first of its pages, or its best hits."""


def with_context(context: str, question: str) -> str:
    """How a grounded question is put."""
    return f"Context: {context.strip()}\nQuestion: {question.strip()}"


def squad(record: Record, random: Random) -> Draft:
    """SQuAD: every annotator's answer is accepted."""
    return Draft(with_context(record["context"], record["question"]), _accepted(record["answers"]["text"]))


def hotpot(record: Record, random: Random) -> Draft:
    """HotpotQA, distractor setting: all ten paragraphs, each after its title."""
    context = record["context"]
    paragraphs = [
        f"[{title}] {''.join(sentences).strip()}"
        for title, sentences in zip(context["title"], context["sentences"], strict=True)
    ]
    return Draft(with_context("\n".join(paragraphs), record["question"]), _accepted([record["answer"]]))


def drop(record: Record, random: Random) -> Draft:
    """DROP's train split, where the spans are one annotator's: several are one answer, in any of three spellings.

    The hub's validation split puts the spans of several annotators into one list, which can't be
    told from one answer of several spans. Questions on one passage stay on one side of the split.
    """
    spans = _accepted(record["answers_spans"]["spans"])
    joined = (" and ".join(spans), ", ".join(spans), f"{', '.join(spans[:-1])}, and {spans[-1]}")
    answers = spans if len(spans) == 1 else tuple(dict.fromkeys(joined))
    return Draft(with_context(record["passage"], record["question"]), answers, group=str(record["section_id"]))


def trivia(record: Record, random: Random) -> Draft:
    """TriviaQA: the answer and its aliases; the context is retrieved from passages of its evidence pages."""
    answer = record["answer"]
    pages = record["entity_pages"]
    passages = [
        passage for title, page in zip(pages["title"], pages["wiki_context"], strict=True) for passage in _passages(title, page)
    ]
    if not passages:
        raise Unusable("no evidence")
    accepted = _accepted([answer["value"], *(answer.get("aliases") or [])])
    return Draft(record["question"].strip(), accepted, passages=tuple(passages[:MOST_PASSAGES]))


def dpr(record: Record, random: Random) -> Draft:
    """DPR's form of NaturalQuestions and WebQuestions: each question with its passages of Wikipedia."""
    found = [*(record.get("positive_passages") or []), *(record.get("negative_passages") or [])]
    if not found:
        raise Unusable("no passages")
    passages = dict.fromkeys(f"[{passage['title']}] {passage['text'].strip()}" for passage in found[:MOST_PASSAGES])
    question = record["query"].strip()
    return Draft(question, _accepted(record["answers"]), passages=tuple(passages))


GROUNDING: Mapping[str, Conversion] = {"squad": squad, "hotpot": hotpot, "drop": drop, "trivia": trivia, "dpr": dpr}


def _accepted(answers: Sequence[Any]) -> tuple[str, ...]:
    kept = tuple(dict.fromkeys(str(answer).strip() for answer in answers if str(answer).strip()))
    if not kept:
        raise Unusable("no answer")
    return kept


def _passages(title: str, page: str) -> list[str]:
    words = page.split()
    return [f"[{title}] {' '.join(words[start : start + PASSAGE_WORDS])}" for start in range(0, len(words), PASSAGE_WORDS)]


def words(text: str) -> list[str]:
    """What BM25 compares: the words in lower case, punctuation aside."""
    return re.findall(r"\w+", text.lower())


def retrieved(drafts: Sequence[Draft], top: int) -> list[Draft]:
    """The drafts with the `top` passages by BM25 as their context, out of the passages of all drafts.

    Raises MissingExtraError without langchain-community and rank_bm25 (extra 'hub').
    """
    pool = list(dict.fromkeys(passage for draft in drafts for passage in draft.passages))
    retriever = _bm25(pool, top)
    contexts = ["\n".join(hit.page_content for hit in retriever.invoke(draft.question)) for draft in drafts]
    return [
        Draft(with_context(context, draft.question), draft.answers, draft.group)
        for context, draft in zip(contexts, drafts, strict=True)
    ]


def _bm25(pool: list[str], top: int) -> Any:
    try:
        with warnings.catch_warnings():
            # Importing any part of langchain-community warns that its maintenance ends; this part needs none.
            warnings.simplefilter("ignore", DeprecationWarning)
            from langchain_community.retrievers import BM25Retriever

            return BM25Retriever.from_texts(pool, k=top, preprocess_func=words)
    except ImportError:
        raise MissingExtraError("retrieving contexts with BM25", "hub") from None
