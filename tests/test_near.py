import pytest

from avalanche_emgd._near import did_you_mean, known_words


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("scenaro", " Did you mean 'scenario'?"),
        ("scenario", " Did you mean 'scenario'?"),
        ("zzz", ""),
        ("", ""),
        (3, ""),
        (None, ""),
    ],
)
def test_the_most_similar_word_is_suggested(word, expected):
    assert did_you_mean(word, iter(["seed", "scenario", "epochs"])) == expected


def test_the_suggestion_stands_before_the_list():
    assert known_words("sed", ["seed", "epochs"]) == " Did you mean 'seed'? Known are seed, epochs"
    assert known_words("zzz", ["seed"]) == " Known are seed"
