import io

from rich.console import Console

from recsys.data.bars import bars


def test_one_bar_for_each_stage() -> None:
    target = io.StringIO()
    console = Console(file=target, force_terminal=True, width=80)
    with bars(console) as progress:
        progress("reading", 5)
        progress("sorting", 1, 4)
        progress("sorting", 4, 4)
    shown = target.getvalue()
    assert "reading" in shown
    assert "4/4" in shown
