"""The MBG/NBD process against what chance does, and against integrals."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import beta, gamma

from recsys.models.purchase_process import (
    Histories,
    Priors,
    expected_drops,
    expected_rates,
    interval_days,
    log_likelihood,
    probability_bought,
    probability_dropped,
)

PRIORS = Priors(*map(np.float64, (0.8, 20.0, 0.9, 1.7)))
LENGTH, WINDOW = 200.0, 28.0


def of(*rows: tuple[float, float, float]) -> Histories:
    return Histories(*np.array(rows, dtype=np.float64).T)


@pytest.fixture(scope="module")
def lives() -> tuple[Histories, np.ndarray, np.ndarray]:
    """100,000 customers: histories until `LENGTH`, over or not, days to the next purchase."""
    draw, count = np.random.default_rng(4), 100_000
    rates = draw.gamma(PRIORS.shape, 1 / PRIORS.scale, count)
    ends = draw.beta(PRIORS.drops, PRIORS.stays, count)
    last, repeats = np.zeros(count), np.zeros(count)
    alive = draw.random(count) >= ends
    upcoming = np.where(alive, draw.exponential(1 / rates), np.inf)
    while (going := upcoming <= LENGTH).any():
        last[going], repeats[going] = upcoming[going], repeats[going] + 1
        alive[going] = draw.random(int(going.sum())) >= ends[going]
        waits = draw.exponential(1 / rates[going])
        upcoming[going] = np.where(alive[going], upcoming[going] + waits, np.inf)
    return Histories(repeats, last, LENGTH - last), ~alive, upcoming - LENGTH


def integral(history: Histories, weight) -> float:
    """Returns a mean over rates and drops, each weighed by the history's likelihood."""
    repeats, span, silence = (float(column[0]) for column in history)
    parts = (np.arange(1_000) + 0.5) / 1_000
    rate = gamma.ppf(parts, PRIORS.shape, scale=1 / PRIORS.scale)[:, None]
    end = beta.ppf(parts, PRIORS.drops, PRIORS.stays)
    bought = (rate * (1 - end)) ** repeats * np.exp(-rate * span)
    return float((bought * weight(rate, end, silence)).mean())


def likelihood(rate, end, silence):
    return end + (1 - end) * np.exp(-rate * silence)


@pytest.mark.parametrize("row", [(0, 0, 0), (0, 0, 40), (3, 50, 5), (2, 30, 90)])
class TestAgainstIntegrals:
    def test_likelihood(self, row):
        value = np.exp(log_likelihood(of(row), PRIORS)[0])
        assert value == pytest.approx(integral(of(row), likelihood), rel=5e-3)

    def test_chances(self, row):
        history, whole = of(row), integral(of(row), likelihood)
        over = integral(history, lambda rate, end, silence: end)  # noqa: ARG005
        assert probability_dropped(history, PRIORS)[0] == pytest.approx(over / whole, rel=5e-3)
        bought = integral(
            history,
            lambda rate, end, silence: (
                (1 - end) * np.exp(-rate * silence) * -np.expm1(-rate * WINDOW)
            ),
        )
        told = probability_bought(history, PRIORS, WINDOW)[0]
        assert told == pytest.approx(bought / whole, rel=5e-3)

    def test_means(self, row):
        history, whole = of(row), integral(of(row), likelihood)
        rates = integral(history, lambda rate, end, s: rate * likelihood(rate, end, s))
        assert expected_rates(history, PRIORS)[0] == pytest.approx(rates / whole, rel=5e-3)
        ends = integral(history, lambda rate, end, s: end * likelihood(rate, end, s))
        assert expected_drops(history, PRIORS)[0] == pytest.approx(ends / whole, rel=5e-3)


def test_probabilities_come_true(lives):
    histories, over, waits = lives
    for told, happened in (
        (probability_dropped(histories, PRIORS), over),
        (probability_bought(histories, PRIORS, 7), waits <= 7),
        (probability_bought(histories, PRIORS, WINDOW), waits <= WINDOW),
    ):
        for part in np.array_split(np.argsort(told, kind="stable"), 10):
            error = np.sqrt(max(told[part].mean() * (1 - told[part].mean()), 1e-4) / len(part))
            assert abs(told[part].mean() - happened[part].mean()) < 4 * error


def test_the_likelihood_finds_what_made_the_data(lives):
    histories = Histories(*(column[:20_000] for column in lives[0]))

    def surprise(logs):
        return -log_likelihood(histories, Priors(*np.exp(logs))).mean()

    found = np.exp(minimize(surprise, np.zeros(4), method="L-BFGS-B").x)
    shape, scale, drops, stays = PRIORS
    assert found[0] / found[1] == pytest.approx(shape / scale, rel=0.08)
    assert found[2] / (found[2] + found[3]) == pytest.approx(drops / (drops + stays), rel=0.08)


def test_a_longer_silence_makes_a_purchase_less_likely():
    silences = of(*((4, 80, silence) for silence in (1, 10, 40, 200)))
    chances = probability_bought(silences, PRIORS, 14)
    assert (np.diff(chances) < 0).all()
    assert (np.diff(probability_dropped(silences, PRIORS)) > 0).all()


def test_the_interval_leans_on_the_customers_own():
    own, usual = 5.0, float(PRIORS.scale / PRIORS.shape)
    days = interval_days(of(*((n, n * own, 0) for n in (0, 1, 5, 1_000))), PRIORS)
    assert days[0] == pytest.approx(usual)
    assert (np.diff(days) < 0).all()
    assert days[-1] == pytest.approx(own, rel=0.01)
