import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from recsys.backtest.rows import Row, read_figures, write_figures
from recsys.errors import DataError

ROW = Row(dataset="shop", protocol="temporal", placement="for_you", metric="ndcg", k=5, value=0.25)


def test_rows_survive_a_file(tmp_path: Path) -> None:
    rows = (ROW, ROW.model_copy(update={"low": 0.2, "high": 0.3, "customers": 7}))
    write_figures(tmp_path / "new" / "figures.json", rows)
    assert read_figures(tmp_path / "new" / "figures.json") == rows
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["figures.json"]


def test_the_file_is_an_object_with_rows_of_all_fields(tmp_path: Path) -> None:
    write_figures(tmp_path / "figures.json", [ROW])
    content = json.loads((tmp_path / "figures.json").read_text())
    assert content == {
        "rows": [
            {
                "dataset": "shop",
                "protocol": "temporal",
                "variant": "",
                "configuration": "default",
                "placement": "for_you",
                "slice": "all",
                "metric": "ndcg",
                "k": 5,
                "value": 0.25,
                "low": None,
                "high": None,
                "p_holm": None,
                "customers": None,
                "seconds": None,
                "peak_mb": None,
                "source": "measured",
            }
        ]
    }


def test_no_rows_are_a_file_too(tmp_path: Path) -> None:
    write_figures(tmp_path / "figures.json", [])
    assert read_figures(tmp_path / "figures.json") == ()


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("metric", "NDCG"), ("k", 0), ("value", float("nan")), ("customers", -1), ("seconds", -1)],
)
def test_what_is_no_figure_is_refused(field: str, wrong: object) -> None:
    with pytest.raises(ValidationError, match=field):
        Row.model_validate(ROW.model_dump() | {field: wrong})


@pytest.mark.parametrize(
    ("content", "said"),
    [('{"rows": [{"dataset": "x"}]}', r"rows\.0\.protocol"), ("[]", "object"), ("{", "JSON")],
)
def test_a_wrong_file_says_where(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "figures.json"
    path.write_text(content)
    with pytest.raises(DataError, match=said) as caught:
        read_figures(path)
    assert caught.value.metadata == {"file": str(path)}


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_figures(tmp_path / "none.json")
