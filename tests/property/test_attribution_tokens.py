"""Attribution tokens: short, safe in addresses, and refused when anything was changed."""

import re
from hashlib import sha256

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recsys.live.attribution import (
    ARM_BYTES,
    BUNDLE_BYTES,
    EXPERIMENT_BYTES,
    PLACEMENT_BYTES,
    TOKEN_CHARACTERS,
    Shown,
    Tokens,
    checked_name,
)

SECRET = sha256(b"a store").digest()
TOKENS = Tokens(SECRET)


def names(limit: int, least: int = 0) -> st.SearchStrategy[str]:
    return st.text(
        st.characters(exclude_categories=["Cs"]), min_size=least, max_size=limit
    ).filter(lambda name: len(name.encode()) <= limit)


SHOWN = st.builds(
    Shown,
    request_id=st.binary(min_size=16, max_size=16).map(bytes.hex),
    placement=names(PLACEMENT_BYTES),
    bundle_version=names(BUNDLE_BYTES),
    experiment=names(EXPERIMENT_BYTES),
    arm=names(ARM_BYTES),
    answer_time_ms=st.integers(0, 2**48 - 1),
)
LONGEST = Shown(
    "0" * 32, "p" * PLACEMENT_BYTES, "b" * BUNDLE_BYTES, "e" * EXPERIMENT_BYTES, "a" * ARM_BYTES, 1
)


@given(SHOWN)
@example(LONGEST)
def test_what_was_written_is_read_again(shown: Shown) -> None:
    token = TOKENS.write(shown)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", token)
    assert len(token) <= TOKEN_CHARACTERS
    assert TOKENS.read(token) == shown


def test_the_longest_names_just_fit() -> None:
    assert len(TOKENS.write(LONGEST)) == TOKEN_CHARACTERS == 200


@given(SHOWN, st.data())
def test_a_changed_character_is_refused(shown: Shown, data: st.DataObject) -> None:
    token = TOKENS.write(shown)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(
        st.characters(exclude_categories=["Cs"]).filter(lambda each: each != token[place])
    )
    assert TOKENS.read(token[:place] + other + token[place + 1 :]) is None


@given(SHOWN)
def test_every_bit_counts(shown: Shown) -> None:
    """Also those of the last character that decoding leaves unused."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    token = TOKENS.write(shown)
    assert [each for each in alphabet if TOKENS.read(token[:-1] + each)] == [token[-1]]


@given(SHOWN, st.integers(0, 199), st.text(max_size=8))
def test_cut_and_longer_ones_are_refused(shown: Shown, length: int, more: str) -> None:
    token = TOKENS.write(shown)
    assert TOKENS.read(token[: min(length, len(token) - 1)]) is None
    for longer in (token + more, more + token, token + "=", token + "\n", f" {token}"):
        if longer != token:
            assert TOKENS.read(longer) is None


@given(st.text(max_size=220))
def test_any_text_is_refused(text: str) -> None:
    assert TOKENS.read(text) is None


@given(SHOWN)
def test_another_stores_token_is_refused(shown: Shown) -> None:
    assert Tokens(sha256(b"another").digest()).read(TOKENS.write(shown)) is None


def test_names_are_measured_in_bytes() -> None:
    assert checked_name("ä" * 14, PLACEMENT_BYTES) == "ä" * 14
    for wrong in ("", "ä" * 15, "p" * 29):
        with pytest.raises(ValueError, match="1 to 28"):
            checked_name(wrong, PLACEMENT_BYTES)
    with pytest.raises(ValueError, match="longer than 24"):
        TOKENS.write(Shown("0" * 32, "p", "b", "e", "a" * 25, 1))
