"""Python text that takes libraries away from the process that runs it."""

_TEXT = """
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            return None
        return self.finder.find_spec(name, path, target)

sys.meta_path = [Without(finder) for finder in sys.meta_path]
"""


def unimportable(*names: str) -> str:
    """Returns what to run first: the libraries are then not found, as if they were not installed.

    None in `sys.modules` would do for our own imports; other libraries take it for a module.
    """
    return _TEXT.format(names=names)
