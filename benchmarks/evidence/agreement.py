"""Our figures beside those of others on the same data: ppi_py (the authors of PPI) and statsmodels.

    pip install ppi-python statsmodels; python benchmarks/evidence/agreement.py

Settings of the papers' examples (labelled and all: deforestation 319 of 1,596; galaxies 1,000 of 16,743), with data
drawn here, since theirs is a download.
"""

from __future__ import annotations

import numpy as np
import ppi_py
import statsmodels.api as sm
from scipy import special
from statsmodels.stats.contingency_tables import mcnemar

from mixwright.statistics import drop_p_value
from mixwright.statistics.clustered import cluster_bounds
from mixwright.statistics.judged import judged_mean

ROUNDS = 100


def against_ppi(rng: np.random.Generator, num_items: int, labelled: int) -> tuple[float, float, float]:
    """Differences of estimate, of standard error (relative) and of the weight."""
    truth = (rng.random(num_items) < 0.26).astype(float)
    judge = np.clip(0.7 * truth + 0.3 * rng.random(num_items) + 0.05, 0, 1)
    seen = np.arange(num_items) < labelled
    found = judged_mean(judge, np.where(seen, truth, np.nan), np.arange(num_items))
    y, f, rest = truth[seen], judge[seen], judge[~seen]
    point = float(np.squeeze(ppi_py.ppi_mean_pointestimate(y, f, rest, lam=found.weight)))
    low, high = (float(np.squeeze(end)) for end in ppi_py.ppi_mean_ci(y, f, rest, alpha=0.1, lam=found.weight))
    error = (high - low) / 2 / float(special.ndtri(0.95))
    tuned = float(np.squeeze(ppi_py.ppi_mean_pointestimate(y, f, rest)))
    return abs(found.estimate - point), abs(found.standard_error / error - 1), abs(found.estimate - tuned) / error


def against_clusters(rng: np.random.Generator) -> float:
    sizes = np.maximum(1, np.round(rng.lognormal(1.2, 0.7, 60))).astype(int)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    differences = rng.choice([-1.0, 0.0, 1.0], p=[0.15, 0.7, 0.15], size=len(labels)) + rng.normal(0, 0.2, 60)[labels]
    ours = float(cluster_bounds(differences, labels, confidence=0.95, scale=3.0).standard_error)
    fitted = sm.OLS(differences, np.ones(len(labels))).fit(
        cov_type="cluster", cov_kwds={"groups": labels, "use_correction": True, "df_correction": True}
    )
    return abs(ours / float(fitted.bse[0]) - 1)


def against_mcnemar(rng: np.random.Generator) -> float:
    base, candidate = rng.integers(0, 2, (2, 80)).astype(float)
    losses, gains = int((candidate < base).sum()), int((candidate > base).sum())
    two_sided = mcnemar([[0, losses], [gains, 0]], exact=True).pvalue
    one = min(drop_p_value(candidate, base), drop_p_value(base, candidate))
    return abs(min(1.0, 2 * one) - two_sided)


def main() -> None:
    rng = np.random.default_rng(0)
    print("| figure | data sets | largest difference |\n|---|---:|---:|")
    for name, num_items, labelled in (("deforestation", 1596, 319), ("galaxies", 16743, 1000)):
        rows = np.asarray([against_ppi(rng, num_items, labelled) for _ in range(ROUNDS)])
        estimate, error, tuned = rows.max(axis=0)
        print(f"| PPI++ estimate, as {name} | {ROUNDS} | {estimate:.1e} |")
        print(f"| its standard error, relative | {ROUNDS} | {error:.1e} |")
        print(f"| estimate with lambda tuned by either, in standard errors | {ROUNDS} | {tuned:.1e} |")
    for name, differs in (
        ("cluster-robust standard error (OLS), relative", against_clusters),
        ("McNemar exact, two-sided p", against_mcnemar),
    ):
        print(f"| {name} | {ROUNDS} | {max(differs(rng) for _ in range(ROUNDS)):.1e} |")


if __name__ == "__main__":
    main()
