"""The settings of a sequence model: its sizes, and how it is trained."""

from typing import Literal, Self

from pydantic import Field, model_validator

from recsys.models.protocol import WeightedConfig


class NetworkConfig(WeightedConfig):
    """What decides the network of a sequence model."""

    over: Literal["customers", "sessions"] = "customers"
    """What a sequence is: all that a customer did, or one session (else basket, else day)."""
    embedding_size: int = Field(default=128, ge=2, le=1_024)
    """Length of all vectors."""
    blocks: int = Field(default=2, ge=1, le=12)
    """Layers of attention."""
    heads: int = Field(default=2, ge=1)
    """Heads of each layer; they share the embedding size evenly."""
    dropout: float = Field(default=0.3, ge=0, lt=1)
    """Share of values left out while training."""
    history_limit: int = Field(default=50, ge=2, le=1_000)
    """Latest items that are read; longer sequences are trained on in parts."""
    epochs: int = Field(default=25, ge=1)
    """Passes over all sequences."""
    batch_size: int = Field(default=128, ge=1)
    """Sequences in one step."""
    negatives: int = Field(default=512, ge=1)
    """Items drawn at each step to rank the right one against."""
    negative_power: float = Field(default=0.5, ge=0, le=1)
    """Items are drawn by popularity to this power; the loss is corrected for it."""
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.1, ge=0)
    min_events: int = Field(default=1, ge=1)
    """Items of fewer events get no vector."""
    temperature: float = Field(default=2.0, gt=0)
    """Scores are exp(product / temperature): at 1 the model's own chances, above flatter; lists
    stay the same, blends change."""
    threads: int = Field(default=1, ge=1)
    """Threads of training; figures depend on their number in the last digits."""
    seed: int = 1
    """Of the random start, the order, the negatives and dropout."""

    @model_validator(mode="after")
    def _heads_share_evenly(self) -> Self:
        if self.embedding_size % self.heads:
            message = f"embedding_size {self.embedding_size} is no multiple of {self.heads} heads"
            raise ValueError(message)
        return self
