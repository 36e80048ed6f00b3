"""The parts of a bundle that are the same whatever was fitted: arrays, and what customers are."""

from pathlib import Path

import numpy as np
import polars as pl

from recsys.data.events import CUSTOMER_SCHEMA
from recsys.data.segments import Segments
from recsys.data.state import CustomerStates, DecayScale, StateRows
from recsys.data.vocabulary import Vocabulary
from recsys.errors import BundleError
from recsys.models.protocol import Arrays
from recsys.types import CustomerId

CATALOGUE = "catalogue.parquet"
CUSTOMERS, STATES, SEGMENTS = "customers", "states", "segments"
"""Folders that hold what a bundle knows of customers."""
ATTRIBUTES = "attributes.arrow"
"""In the folder `CUSTOMERS`: not there in bundles of releases that kept no attributes."""


def save_customers(
    folder: Path,
    customers: Vocabulary[CustomerId],
    states: CustomerStates,
    segments: Segments,
    attributes: pl.DataFrame,
) -> None:
    """Writes all that a bundle knows of customers."""
    save_arrays(folder / CUSTOMERS, customers.arrays())
    # As it lies in memory: there is nothing to decode at a start.
    attributes.sort("customer_id").rechunk().write_ipc(
        folder / CUSTOMERS / ATTRIBUTES, compression="uncompressed"
    )
    save_arrays(folder / STATES, {"offsets": states.offsets, **states.rows._asdict()})
    save_arrays(
        folder / SEGMENTS,
        {
            **segments.labels.arrays(),
            "label_offsets": segments.offsets,
            "label_nums": segments.label_nums,
        },
    )


def load_customers(folder: Path) -> Vocabulary[CustomerId]:
    """Reads whom a bundle knows."""
    return Vocabulary(**load_arrays(folder / CUSTOMERS))  # type: ignore[arg-type]


def load_attributes(folder: Path) -> pl.DataFrame:
    """Reads the customers' attributes, ordered by `customer_id`."""
    file = folder / CUSTOMERS / ATTRIBUTES
    if not file.is_file():
        return pl.DataFrame(schema=CUSTOMER_SCHEMA)
    return pl.read_ipc(file)


def load_states(folder: Path, scale: DecayScale) -> CustomerStates:
    """Reads what a bundle knows of each customer."""
    states = load_arrays(folder / STATES)
    rows = StateRows(**{name: states[name] for name in StateRows._fields})  # type: ignore[arg-type]
    return CustomerStates(states["offsets"], rows, scale)  # type: ignore[arg-type]


def load_segments(folder: Path) -> Segments:
    """Reads which labels each customer carries."""
    arrays = load_arrays(folder / SEGMENTS)
    return Segments(
        Vocabulary(arrays["id_bytes"], arrays["offsets"]),  # type: ignore[arg-type]
        arrays["label_offsets"],  # type: ignore[arg-type]
        arrays["label_nums"],  # type: ignore[arg-type]
    )


def save_arrays(folder: Path, arrays: Arrays) -> None:
    """Writes arrays to files of their names."""
    folder.mkdir(parents=True)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)


def load_arrays(folder: Path) -> Arrays:
    """Maps every array of a folder; a plain view, since slicing a memmap costs microseconds.

    Call it only after the folder's checksums were verified.

    Raises:
        BundleError: there is no such folder.
    """
    if not folder.is_dir():
        message = f"{folder}: there is no such folder in the bundle"
        raise BundleError(message, file=str(folder))
    return {
        path.stem: np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
        for path in sorted(folder.glob("*.npy"))
    }
