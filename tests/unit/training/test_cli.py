import pytest

from training.cli import main


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["training", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    assert isinstance(left.value.code, int)
    return left.value.code


def test_an_error_of_the_domain_is_one_line_and_exit_code_1(monkeypatch, capsys, tmp_path) -> None:
    missing = str(tmp_path / "[missing].csv")
    assert run(monkeypatch, "prepare", "--events", missing, "--out", str(tmp_path / "out")) == 1
    shown = capsys.readouterr().err
    assert shown.startswith(f"error: {missing}: ")
    assert shown.count("\n") == 1


def test_wrong_usage_is_exit_code_2(monkeypatch, tmp_path) -> None:
    assert run(monkeypatch, "prepare", "--out", str(tmp_path / "out")) == 2
    assert run(monkeypatch, "prepare", "--no-such-option") == 2


def test_help_names_the_verbs(monkeypatch, capsys) -> None:
    assert run(monkeypatch, "--help") == 0
    assert "prepare" in capsys.readouterr().out
