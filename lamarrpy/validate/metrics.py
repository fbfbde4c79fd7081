"""All figures by which a simulation is compared with its reference, in one place.

Every one takes optional weights: finite, not negative, not all 0. Physics is judged by the size of a difference (the
largest difference of cumulative distributions, Wasserstein distance over sigma, AUC - 0.5), not by p-values, which
fail on harmless differences once a sample is large.
"""

from __future__ import annotations

from lamarrpy.validate.auc import Auc, auc_with_error, roc_auc
from lamarrpy.validate.bins import InBins, in_bins, quantile_edges
from lamarrpy.validate.correlations import CorrelationDifference, correlation_difference, correlation_matrix
from lamarrpy.validate.distances import expected_ks, ks_distance, wasserstein_over_sigma
from lamarrpy.validate.efficiency import Efficiency, clopper_pearson, efficiency, wilson
from lamarrpy.validate.samples import effective_entries
from lamarrpy.validate.two_sample import Importance, TwoSample, two_sample_auc

__all__ = [
    "Auc",
    "CorrelationDifference",
    "Efficiency",
    "Importance",
    "InBins",
    "TwoSample",
    "auc_with_error",
    "clopper_pearson",
    "correlation_difference",
    "correlation_matrix",
    "effective_entries",
    "efficiency",
    "expected_ks",
    "in_bins",
    "ks_distance",
    "quantile_edges",
    "roc_auc",
    "two_sample_auc",
    "wasserstein_over_sigma",
    "wilson",
]
