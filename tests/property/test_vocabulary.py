"""Ids to numbers and back, whatever the ids are."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.vocabulary import Vocabulary
from recsys.types import UNKNOWN

ids = st.lists(st.text(st.characters(codec="utf-8"), max_size=8), max_size=30)


@given(ids, ids)
def test_numbers_and_ids_are_inverse(known, asked):
    vocabulary = Vocabulary.from_ids(known)
    assert len(vocabulary) == len(set(known))
    everything = np.arange(len(vocabulary), dtype=np.int32)
    names = vocabulary.ids(everything)
    assert names == sorted(set(known), key=str.encode)
    assert vocabulary.series().to_list() == names
    expected = [names.index(name) if name in names else UNKNOWN for name in asked]
    assert vocabulary.numbers(asked).tolist() == expected
    assert vocabulary.numbers(pl.Series(asked, dtype=pl.String)).tolist() == expected
    assert [vocabulary.number(name) for name in asked] == [
        None if number == UNKNOWN else number for number in expected
    ]


@given(ids)
def test_arrays_make_the_same_vocabulary(known):
    vocabulary = Vocabulary.from_ids(known)
    copy = Vocabulary(**vocabulary.arrays())
    assert copy.series().equals(vocabulary.series())


def test_null_has_no_number_and_numbers_outside_no_id():
    vocabulary = Vocabulary.from_ids(["a"])
    assert vocabulary.numbers(pl.Series([None, "a"])).tolist() == [UNKNOWN, 0]
    assert vocabulary.number("\ud800") is None
    for number in (-1, 1):
        with pytest.raises(IndexError):
            vocabulary.id(number)
