"""The line that tells why a process ended."""

import pytest

from mnbench.last_words import last_words

pytestmark = pytest.mark.smoke


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("", "it said nothing"),
        ("\n  \n", "it said nothing"),
        ("INFO: Created TensorFlow Lite XNNPACK delegate\n", "it said nothing"),
        ("first\n  ValueError: 3\n\n", "ValueError: 3"),
        ("no kernel\nW1121 21:00:00.123 fallback.cc:9] slow\nWARNING: all log messages\n", "no kernel"),
        ("E is no letter of absl's", "E is no letter of absl's"),
        ("x" * 999, "x" * 300),
    ],
)
def test_the_last_line_that_says_something(said: str, found: str) -> None:
    assert last_words(said) == found


def test_a_caller_has_its_own_word_for_silence() -> None:
    assert last_words("\n", otherwise="") == ""
