"""The network of the sequence model and its training; the only file that imports torch.

Everything here runs while fitting. Import it inside `fit`, not at the top of a file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from recsys.models.sequence_settings import NetworkConfig
from recsys.types import FloatArray

WARM_UP = 200
"""Steps over which the learning rate rises."""
LEAST_RATE = 0.02
"""Share of the learning rate that the last step has."""
CLIP = 5.0
"""Longest gradient."""


class Block(nn.Module):
    """One layer: each position looks at the ones before it."""

    def __init__(self, size: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm, self.inner_norm = nn.LayerNorm(size), nn.LayerNorm(size)
        self.attention_in, self.attention_out = nn.Linear(size, 3 * size), nn.Linear(size, size)
        self.inner_in, self.inner_out = nn.Linear(size, 4 * size), nn.Linear(4 * size, size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, stream: Tensor, mask: Tensor) -> Tensor:
        """Returns the stream with what the layer adds, shape (batch, positions, size)."""
        batch, length, size = stream.shape
        wide = self.attention_in(self.attention_norm(stream))
        split = wide.view(batch, length, 3, self.heads, size // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        scores = query @ key.transpose(-1, -2) * (size // self.heads) ** -0.5
        seen = self.dropout(scores.masked_fill(~mask, -1e9).softmax(-1)) @ value
        joined = seen.transpose(1, 2).reshape(batch, length, size)
        stream = stream + self.dropout(self.attention_out(joined))
        inner = functional.gelu(self.inner_in(self.inner_norm(stream)))
        added: Tensor = self.dropout(self.inner_out(self.dropout(inner)))
        return stream + added


class SequenceNetwork(nn.Module):
    """SASRec with layer norms before each part: a vector after every item of a sequence."""

    def __init__(self, config: NetworkConfig, item_count: int) -> None:
        super().__init__()
        size = config.embedding_size
        self.items = nn.Embedding(item_count + 1, size, padding_idx=item_count)
        self.positions = nn.Parameter(torch.zeros(config.history_limit, size))
        self.blocks = nn.ModuleList(
            Block(size, config.heads, config.dropout) for _ in range(config.blocks)
        )
        self.norm = nn.LayerNorm(size)
        self.dropout = nn.Dropout(config.dropout)
        nn.init.normal_(self.items.weight[:item_count], std=0.02)
        nn.init.normal_(self.positions, std=0.02)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features**-0.5)
                nn.init.zeros_(module.bias)

    def forward(self, sequences: Tensor) -> Tensor:
        """Returns vectors, shape (batch, positions, size); sequences end at the last position."""
        length = sequences.shape[1]
        read = self.items(sequences) * self.items.embedding_dim**0.5
        stream = self.dropout(read + self.positions[-length:])
        there = sequences != self.items.padding_idx
        ahead = torch.ones(length, length, dtype=torch.bool).tril()
        mask = ahead[None, None] & there[:, None, None, :]
        for block in self.blocks:
            stream = block(stream, mask)
        normed: Tensor = self.norm(stream)
        return normed

    def weights(self) -> dict[str, FloatArray]:
        """Returns all weights but the items', by name."""
        state = self.state_dict()
        return {
            name: np.ascontiguousarray(value.numpy())
            for name, value in state.items()
            if not name.startswith("items.")
        }


@dataclass(frozen=True, slots=True)
class Trained:
    """What training gives."""

    item_vectors: FloatArray
    """Shape (items, size)."""
    weights: dict[str, FloatArray]
    last_loss: float
    """Mean loss of the last epoch."""


def train(
    sequences: Sequence[NDArray[np.int64]], item_count: int, config: NetworkConfig
) -> Trained:
    """Trains the network to name each next item of the sequences.

    Args:
        sequences: items 0 to item_count - 1, two or more each.
        item_count: items there are.
        config: sizes and settings; equal ones give equal weights on one kind of machine, as long
            as torch runs with as many threads.
    """
    random = np.random.default_rng(config.seed)
    before = torch.get_num_threads()
    torch.set_num_threads(config.threads)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            return _train(sequences, item_count, config, random)
    finally:
        torch.set_num_threads(before)


def _train(
    sequences: Sequence[NDArray[np.int64]],
    item_count: int,
    config: NetworkConfig,
    random: np.random.Generator,
) -> Trained:
    network = SequenceNetwork(config, item_count)
    optimiser = torch.optim.AdamW(
        network.parameters(),
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
        betas=(0.9, 0.98),
    )
    counts = np.bincount(np.concatenate(sequences), minlength=item_count)
    chances = torch.from_numpy(np.maximum(counts, 1e-9) ** config.negative_power).float()
    chances /= chances.sum()
    steps = config.epochs * -(-len(sequences) // config.batch_size)
    step, losses = 0, [0.0]
    for _ in range(config.epochs):
        losses = []
        for batch in _batches(sequences, item_count, config, random):
            step += 1
            for group in optimiser.param_groups:
                group["lr"] = config.learning_rate * _rate(step, steps)
            loss = _loss(network, batch, chances, config.negatives)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), CLIP)
            optimiser.step()
            losses.append(loss.item())
    vectors = network.items.weight[:item_count].detach().numpy()
    return Trained(np.ascontiguousarray(vectors), network.weights(), float(np.mean(losses)))


def _rate(step: int, steps: int) -> float:
    """Returns the share of the learning rate: a linear rise, then half a cosine."""
    cosine = 0.5 * (1.0 + np.cos(np.pi * step / steps))
    return float(min(1.0, step / WARM_UP) * max(LEAST_RATE, cosine))


def _batches(
    sequences: Sequence[NDArray[np.int64]],
    item_count: int,
    config: NetworkConfig,
    random: np.random.Generator,
) -> Iterator[Tensor]:
    """Yields batches of sequences of like length, in another order each time.

    Shape (batch, longest): sequences stand at the end; before them stands item_count.
    """
    lengths = np.array([len(sequence) for sequence in sequences])
    order = np.argsort(lengths + 2.0 * random.random(len(lengths)), kind="stable")
    parts = [
        order[start : start + config.batch_size]
        for start in range(0, len(order), config.batch_size)
    ]
    for place in random.permutation(len(parts)):
        part = parts[place]
        batch = np.full((len(part), lengths[part].max()), item_count, dtype=np.int64)
        for row, chosen in enumerate(part):
            batch[row, -lengths[chosen] :] = sequences[chosen]
        yield torch.from_numpy(batch)


def _loss(network: SequenceNetwork, batch: Tensor, chances: Tensor, negatives: int) -> Tensor:
    """Returns the sampled softmax of the next items, corrected for how often each is drawn.

    Wu et al., On the effectiveness of sampled softmax loss for item recommendation, TOIS 2024.
    """
    history, following = batch[:, :-1], batch[:, 1:]
    known = history != network.items.padding_idx
    vectors, right = network(history)[known], following[known]
    drawn = torch.multinomial(chances, negatives, replacement=True)
    hit = (vectors * network.items(right)).sum(1, keepdim=True) - chances[right].log()[:, None]
    others = vectors @ network.items(drawn).T - chances[drawn].log()
    others = others.masked_fill(drawn[None, :] == right[:, None], -1e9)
    scores = torch.cat([hit, others], dim=1)
    return functional.cross_entropy(scores, torch.zeros(len(right), dtype=torch.long))
