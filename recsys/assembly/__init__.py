"""Puts a fitted pipeline together: the only room that names concrete models and sources."""

from recsys.assembly.build import assemble
from recsys.assembly.config import (
    MODELS_OF_SOURCE,
    AlgorithmConfig,
    FitConfig,
    SourceConfig,
)
from recsys.assembly.files import load_recommender, save
from recsys.assembly.fitted import FittedPipeline

__all__ = [
    "MODELS_OF_SOURCE",
    "AlgorithmConfig",
    "FitConfig",
    "FittedPipeline",
    "SourceConfig",
    "assemble",
    "load_recommender",
    "save",
]
