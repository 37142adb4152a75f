import time

import pytest

from metaspo.tasks.answers.choices import read_choice

LETTERS = ["A", "B", "C", "D"]
SENTIMENT = ["positive", "negative", "neutral"]
STARS = ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        # stated
        ("C", "C"),
        ("c", "C"),
        (" C \n", "C"),
        ("B.", "B"),
        ("**B**", "B"),
        ("“B”", "B"),
        ("(b)", "B"),
        ("[b]", "B"),
        ("`D`", "D"),
        ("C) because", "C"),
        ("C: because it is", "C"),
        ("C because the others fail", "C"),
        ("B Congestive heart failure", "B"),
        ("I think it's (a)", "A"),
        ("I think it’s b", "B"),
        ("I'd say B", "B"),
        ("A is correct", "A"),
        ("C is the right one", "C"),
        ("$\\boxed{C}$", "C"),
        ("the option (c)", "C"),
        ("Not B, but C", "C"),
        # announced, the last time counts
        ("The answer is C", "C"),
        ("The answer is C.", "C"),
        ("Answer: C", "C"),
        ("answer: c", "C"),
        ("**Answer:** (C)", "C"),
        ("**Answer**: C", "C"),
        ("Final answer = `C`", "C"),
        ("The correct answer is option C", "C"),
        ("The answer is A because of B", "A"),
        ("The answer is A at first sight. No: the answer is B.", "B"),
        ("Option A is wrong. The answer is B", "B"),
        ("The answer is C, and B is wrong", "C"),
        ("The answer is (B), not (A)", "B"),
        # words that hold a letter, or are one
        ("Cat", None),
        ("Absolutely", None),
        ("Both", None),
        ("A patient with fever", None),
        ("a patient with fever", None),
        ("A 45-year-old man", None),
        ("The answer is a dog", None),
        ("The answer is a Dog", None),
        ("Answer: A patient with fever", None),
        ("C-reactive protein", None),
        ("C'est la vie", None),
        ("Vitamin C", None),
        ("Hepatitis B and fever", None),
        ("E", None),
        ("", None),
        ("  ", None),
        ("()", None),
        # several, or none
        ("A or B", None),
        ("A, B", None),
        ("B and C", None),
        ("Both A and B are right", None),
        ("The answer is A or B", None),
        ("The answer is A/B", None),
        ("Answer: A, C", None),
        ("(a) or (b)", None),
        ("Option A is better than option B", None),
        ("Not B", None),
        ("It's not (b)", None),
        ("It isn’t B", None),
    ],
)
def test_option_letters(text: str, answer: str | None) -> None:
    assert read_choice(text, LETTERS) == answer


def test_letters_are_given_as_the_task_spells_them() -> None:
    assert read_choice("The answer is B", ["a", "b"]) == "b"
    assert read_choice("B is right", ["a", "b"]) == "b"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("I", "I"),
        ("I think it is H", "H"),
        ("I'm sure", None),
        ("I don't know", None),
        ("Answer: I don't know", None),
        ("Answer: I", "I"),
    ],
)
def test_the_pronoun_is_no_option(text: str, answer: str | None) -> None:
    assert read_choice(text, list("ABCDEFGHI")) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("positive", "positive"),
        ("POSITIVE!", "positive"),
        ("*Positive*", "positive"),
        ("“Positive”", "positive"),
        ("- positive", "positive"),
        ("The review is positive.", "positive"),
        ("Sentiment:positive", "positive"),
        ("It is a positive, positive review", "positive"),
        ("The answer is the positive one", "positive"),
        ("not negative, positive", "positive"),
        ("positive rather than negative", "positive"),
        ("positive, not negative", "positive"),
        ("neither positive nor negative: neutral", "neutral"),
        ("not positive", None),
        ("The answer is not positive", None),
        ("It isn't positive", None),
        ("It isn’t positive", None),
        ("It is not a positive review", None),
        ("not very positive", None),
        ("cannot be positive", None),
        ("positive or negative", None),
        ("The answer is positive or negative", None),
        ("neither positive nor negative", None),
        ("positively", None),
        ("non-positive", None),
        ("non\u2011positive", None),
        ("positive-ish", None),
        ("Answer: positive-ish", None),
        ("nothing of the kind", None),
    ],
)
def test_words(text: str, answer: str | None) -> None:
    assert read_choice(text, SENTIMENT) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("urgent", "urgent"),
        ("This is urgent.", "urgent"),
        ("not urgent", "not urgent"),
        ("Not Urgent.", "not urgent"),
        ("not\u00a0urgent", "not urgent"),
        ("The answer is not urgent", "not urgent"),
        ("This is not urgent", "not urgent"),
        ("This is never urgent", None),
        ("urgent or not urgent", None),
    ],
)
def test_a_label_inside_another(text: str, answer: str | None) -> None:
    assert read_choice(text, ["urgent", "not urgent"]) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("5", "5"),
        ("5 stars", "5"),
        ("Rating: 4", "4"),
        ("4/5", "4"),
        ("4 out of 5", "4"),
        ("4 stars out of 5", "4"),
        ("I rate it 3.", "3"),
        ("4.5", None),
        ("4,5", None),
        ("Answer: 4.5", None),
        ("4.5/5", None),
        ("45", None),
        ("-1", None),
        ("3-4", None),
        ("Answer: 3-4", None),
        ("3 or 4", None),
        ("6", None),
        ("5th", None),
    ],
)
def test_digits(text: str, answer: str | None) -> None:
    assert read_choice(text, STARS) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Yes.", "yes"),
        ("No", "no"),
        ("Yes, it is not harmful", "yes"),
        ("Yes, there is no doubt", "yes"),
        ("No, it is not", "no"),
        ("No harmful words here", "no"),
        ("Answer: no, it isn't", "no"),
        ("not yes", None),
        ("yes and no", None),
        ("yesterday", None),
        ("nothing", None),
        ("There is no way to tell", None),
    ],
)
def test_yes_and_no(text: str, answer: str | None) -> None:
    assert read_choice(text, ["yes", "no"]) == answer


@pytest.mark.parametrize(
    ("labels", "text", "answer"),
    [
        (["off-topic", "on-topic"], "It is off-topic.", "off-topic"),
        (["off-topic", "on-topic"], "off\u2011topic", "off-topic"),
        (["don't know", "know"], "I don’t know", "don't know"),
        (["don’t know", "know"], "don't know", "don’t know"),
        (["C++", "C"], "The answer is C++", "C++"),
        (["C++", "C"], "C", "C"),
        (["(a)", "(b)"], "(a)", "(a)"),
        (["+", "-"], "-", "-"),
        (["-1", "0", "1"], "-1", "-1"),
        (["-1", "0", "1"], "The answer is -1", "-1"),
        (["New York", "York"], "It is New York", "New York"),
        (["A)", "B)"], "B)", "B)"),
        (["A)", "B)"], "The answer is B)", "B)"),
        (["A)", "B)"], "B", "B)"),
        (["(A)", "(B)"], "(B)", "(B)"),
        (["(A)", "(B)"], "The answer is (B).", "(B)"),
        (["yes.", "no."], "yes.", "yes."),
        (["1 star", "2 stars"], "I give it 2 stars", "2 stars"),
        (["👍", "👎"], "👍", "👍"),
        (["👍", "👎"], "I'd say 👎!", "👎"),
        (["0", "1"], "1", "1"),
        (["0", "1"], "The answer is 0", "0"),
        (["0", "1"], "10", None),
        (["0", "1"], "0 or 1", None),
        (["0", "1"], "0.1", None),
        (["1.0", "2.0"], "2.0", "2.0"),
        (["1.0", "2.0"], "2", None),
        (["not_urgent", "urgent"], "not_urgent", "not_urgent"),
        (["not_urgent", "urgent"], "The label is not_urgent.", "not_urgent"),
        (["positive", "negative"], "It is _positive_.", "positive"),
        (["positive", "negative"], "It is __negative__", "negative"),
        (["urgent", "calm"], "not_urgent", None),
        (["New York", "Paris"], "It is New\nYork", "New York"),
        (["O'Brien", "Smith"], "It is O’Brien", "O'Brien"),
        (["self-harm", "other"], "This is self–harm.", "self-harm"),
        (["spam", "not spam"], "This isn't spam", None),
        (["spam", "not spam"], "not spam", "not spam"),
        (["spam", "ham"], "It is not spam, it's ham.", "ham"),
        (["harmful", "harmless"], "The text is harmless", "harmless"),
        (["toxic", "non-toxic"], "This is non-toxic", "non-toxic"),
        (["toxic", "non-toxic"], "nontoxic", None),
        (["toxic", "clean"], "It's non-toxic", None),
        (["biased", "unbiased"], "unbiased", "unbiased"),
        (["biased", "fair"], "It's unbiased", None),
        (["good", "bad"], "not bad", None),
        (["good", "bad"], "It's not bad at all", None),
        (["good", "bad"], "pretty good", "good"),
        (["agree", "disagree"], "I disagree", "disagree"),
        (["agree", "disagree"], "I don't agree", None),
        (["support", "refute", "neutral"], "The evidence does not support the claim", None),
        (["SUPPORTED", "REFUTED"], "The claim is supported.", "SUPPORTED"),
        (["true", "false"], "TRUE", "true"),
        (["I", "II", "III", "IV"], "II", "II"),
        (["I", "II", "III", "IV"], "The answer is III.", "III"),
        (["I", "II", "III"], "I think so", None),
        (["A", "B", "AB", "O"], "AB", "AB"),
        (["A", "B", "AB", "O"], "The blood type is O", "O"),
        (["A", "B", "AB", "O"], "Type AB", "AB"),
        (["left", "right"], "Turn left, that is right", None),
        (["left", "right"], "The answer is right", "right"),
        (["left", "right"], "left, right?", None),
        (["correct", "wrong"], "The answer is wrong", "wrong"),
        (["correct", "wrong"], "That's correct.", "correct"),
        (["correct", "wrong"], "This is not correct", None),
        (["none", "some"], "None", "none"),
        (["none", "some"], "none of them", "none"),
        (["no", "maybe", "yes"], "maybe", "maybe"),
        (["no", "maybe", "yes"], "The answer is maybe.", "maybe"),
        (["and", "or"], "or", "or"),
        (["unknown", "known"], "I don't know", None),
        (["unknown", "known"], "It is unknown", "unknown"),
        # re.IGNORECASE and casefold do not agree on these
        (["evet", "hayır"], "Cevap: HAYIR", "hayır"),
        (["groß", "klein"], "GROß", "groß"),
    ],
)
def test_labels_of_other_forms(labels: list[str], text: str, answer: str | None) -> None:
    assert read_choice(text, labels) == answer


@pytest.mark.parametrize("text", ["answer: " + " " * 20_000 + "x", "A or " * 3_000, "answer is the " * 3_000, "(" * 20_000])
def test_a_degenerate_reply_is_read_in_no_time(text: str) -> None:
    begun = time.process_time()
    read_choice(text, LETTERS)
    assert time.process_time() - begun < 1
