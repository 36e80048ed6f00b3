"""Reading a FAISS file and the item numbers beside it."""

from pathlib import Path

import faiss
import numpy as np

from recsys.errors import BundleError
from recsys.index.rows import nums_file, read_only
from recsys.types import NumArray


def faiss_file(folder: Path, name: str) -> Path:
    """Returns where an index keeps its FAISS part."""
    return folder / f"{name}.faiss"


def read_faiss(folder: Path, name: str, *, mmap: bool) -> tuple[faiss.Index, NumArray]:
    """Reads the FAISS index `name`, a flat or an HNSW one, and the item number of each row.

    A flipped bit makes FAISS answer wrongly without any error: the caller must have verified
    the checksums of both files.

    Raises:
        BundleError: the file is missing or of another kind, or its rows do not fit the numbers.
    """
    path = faiss_file(folder, name)
    try:
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC if mmap else 0)
        item_nums = np.load(nums_file(folder, name), mmap_mode="r" if mmap else None)
    except (RuntimeError, OSError, ValueError) as error:
        message = f"{path.name}: the index cannot be read"
        raise BundleError(message, file=path.name) from error
    known = isinstance(index, faiss.IndexFlat | faiss.IndexHNSWFlat)
    if not known or index.ntotal != len(item_nums):
        message = f"{path.name}: not an index of {len(item_nums)} rows"
        raise BundleError(message, file=path.name)
    return index, read_only(item_nums, np.int32)
