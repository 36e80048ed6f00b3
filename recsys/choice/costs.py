"""About how long fits take on two cores: what keeps a first try from eating the whole budget.

Measured with one thread of BLAS on data of 0.1 to 1 million pairs. Only the order of magnitude
matters: once a variant of a family is fitted, its own time is what the next one is expected to
take.
"""

from recsys.assembly import AlgorithmConfig


def expected_seconds(algorithm: AlgorithmConfig, pairs: int, items: int) -> float:
    """Returns the seconds that a fit is expected to take.

    Args:
        algorithm: what is fitted.
        pairs: distinct pairs of customer and item.
        items: of the catalogue.
    """
    match algorithm.kind:
        case "popularity" | "repurchase":
            per_million = 0.5
        case "ease":
            return 45.0 * float((items / 20_000) ** 3)
        case "graph-filter":
            per_million = 60.0 * algorithm.embedding_size / 256
        case "ials":
            per_million = 40.0 * float((algorithm.embedding_size / 128) ** 1.5)
        case "als":
            per_million = 8.0 * algorithm.embedding_size / 64
        case "slim":
            per_million = 30.0
        case "markov":
            per_million = 20.0
        case "sequence":
            per_million = 10_000.0
        case _:
            per_million = 10.0
    return per_million * pairs / 1e6
