"""Golden values for Tests/StatisticsTests, written to Tests/StatisticsTests/Fixtures/statistics.json.

Run from the package's root with numpy 2.4.6, scipy 1.17.1, statsmodels 0.15.0, scikit-learn 1.9.1.

Resamples are drawn by Kotonoha's own random numbers, written again here, so that whole bootstrap intervals can be compared.
"""
import itertools
import json
import math
import types
import warnings
import numpy as np
from scipy import optimize, stats
from sklearn import linear_model
import statsmodels.api as sm
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

rng = np.random.default_rng(20261126)
MASK = (1 << 64) - 1


class Random:
    """xoshiro256** with SplitMix64 seeding (Blackman & Vigna 2018), bounded by Lemire's method."""

    def __init__(self, seed):
        self.state = []
        for _ in range(4):
            seed, value = self.mix(seed)
            self.state.append(value)

    @staticmethod
    def mix(x):
        x = (x + 0x9E3779B97F4A7C15) & MASK
        z = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return x, z ^ (z >> 31)

    def next(self):
        rotated = lambda x, k: ((x << k) | (x >> (64 - k))) & MASK
        s = self.state
        result = (rotated((s[1] * 5) & MASK, 7) * 9) & MASK
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]; s[3] ^= s[1]; s[1] ^= s[2]; s[0] ^= s[3]; s[2] ^= t
        s[3] = rotated(s[3], 45)
        return result

    def split(self, stream):
        _, value = self.mix(self.state[0] ^ ((stream * 0xD1342543DE82EF95) & MASK))
        return Random(value ^ self.state[2])

    def below(self, bound):
        product = self.next() * bound
        if product & MASK < bound:
            threshold = (-bound % (1 << 64)) % bound
            while product & MASK < threshold:
                product = self.next() * bound
        return product >> 64


def numbers(values):
    return [float(v) for v in values]


def distributions():
    cases = []

    def case(name, parameters, x, frozen, quantiles=(1e-12, 1e-4, 0.025, 0.3, 0.5, 0.8, 0.975, 0.9999)):
        cases.append({"name": name, "parameters": numbers(parameters), "x": numbers(x), "cumulative": numbers(frozen.cdf(x)),
                      "upper": numbers(frozen.sf(x)), "shares": list(quantiles), "quantiles": numbers(frozen.ppf(quantiles))})

    case("normal", [], [-37, -8, -1.96, -0.1, 0, 0.7, 3, 12], stats.norm())
    for v in [1, 2.5, 7, 30, 1000]:
        case("t", [v], [-50, -3, -0.2, 0, 0.001, 1, 4, 25, 1e4], stats.t(v))
    for a, b in [(0.5, 0.5), (1, 3), (2.5, 0.7), (40, 60), (1000, 3), (5000, 7000), (0.01, 2)]:
        case("beta", [a, b], [1e-8, 0.01, 0.2, 0.4166, 0.6, 0.95, 0.999], stats.beta(a, b))
    for a, b in [(1, 1), (3, 12.5), (60, 4), (200, 300)]:
        case("f", [a, b], [1e-6, 0.1, 0.9, 1, 2, 10, 300], stats.f(a, b))
    for v in [1, 2, 3.7, 50, 4000]:
        case("chi2", [v], [1e-6, 0.5, 1, 3.84, 40, 120, 3900, 4400], stats.chi2(v))
    binomial = []
    for n, p in [(1, 0.3), (10, 0.5), (60, 0.02), (5000, 0.61)]:
        k = sorted({0, n // 3, int(n * p), min(n, int(n * p) + 3), n})
        b = stats.binom(n, p)
        binomial.append({"n": n, "p": p, "k": k, "mass": numbers(b.pmf(k)), "cumulative": numbers(b.cdf(k)), "upper": numbers(b.sf(k))})
    noncentral = [{"freedom": v, "delta": d, "t": t, "cumulative": float(stats.nct.cdf(t, v, d))}
                  for v in [3, 11, 59] for d in [-4.0, -0.5, 0.0, 1.3, 9.0] for t in [-2.0, 0.0, 0.4, 3.0, 12.0]]
    return {"continuous": cases, "binomial": binomial, "noncentral": noncentral}


def rho_a(x, y):
    """Expectation of Spearman's rho under random tie breaking, by enumeration of all ways to break them."""
    def broken(values):
        groups = [np.flatnonzero(values == v) for v in np.unique(values)]
        for orders in itertools.product(*[list(itertools.permutations(g)) for g in groups]):
            ranks = np.empty(len(values))
            ranks[[i for o in orders for i in o]] = np.arange(len(values))
            yield ranks
    found = [stats.pearsonr(a, b).statistic for a in broken(np.asarray(x)) for b in broken(np.asarray(y))]
    return float(np.mean(found))


def tau_a(x, y):
    s = sum(np.sign(x[i] - x[j]) * np.sign(y[i] - y[j]) for i in range(len(x)) for j in range(i))
    return float(s / (len(x) * (len(x) - 1) / 2))


def correlations():
    tied = rng.integers(0, 6, size=40)
    small = [1.0, 2, 2, 3, 3, 5], [2.0, 1, 4, 4, 4, 3]
    series = [
        (rng.normal(size=120), rng.normal(size=120)), (tied, tied + rng.integers(0, 4, size=40)), (rng.normal(size=7), rng.normal(size=7)),
        (1e8 + rng.normal(size=50), rng.normal(size=50)), small, ([1, 2, 3, 4], [1, 2, 4, 3]), ([1.0, 2, 3], [3.0, 1, 2]), (np.arange(60.0), np.arange(60.0)[::-1] ** 3),
        (rng.integers(0, 2, size=25), rng.integers(0, 3, size=25)),
    ]
    out = []
    for a, b in series:
        a, b = np.asarray(a, float), np.asarray(b, float)
        pearson, spearman, kendall = stats.pearsonr(a, b), stats.spearmanr(a, b), stats.kendalltau(a, b)
        interval = pearson.confidence_interval(0.95)
        out.append({"a": numbers(a), "b": numbers(b), "pearson": float(pearson.statistic), "spearman": float(spearman.statistic), "kendall": float(kendall.statistic),
                    "tauA": tau_a(a, b), "pearsonP": float(pearson.pvalue), "spearmanP": float(spearman.pvalue), "kendallP": float(kendall.pvalue),
                    "low": float(interval.low), "high": float(interval.high)})
    return {"pairs": out, "rhoA": [{"a": numbers(a), "b": numbers(b), "value": rho_a(a, b)} for a, b in [small, ([1.0, 1, 1, 2, 2], [5.0, 3, 1, 1, 4])]]}


def partial():
    z = rng.normal(size=(2, 30))
    x, y = z[0] + 0.5 * z[1] + rng.normal(size=30), z[0] - z[1] + rng.normal(size=30)
    out = {"x": numbers(x), "y": numbers(y), "covariates": [numbers(v) for v in z]}
    for name, prepare in [("pearson", lambda v: v), ("spearman", stats.rankdata)]:
        design = np.column_stack([np.ones(30), *[prepare(v) for v in z]])
        rest = [prepare(v) - design @ np.linalg.lstsq(design, prepare(v), rcond=None)[0] for v in (x, y)]
        r = stats.pearsonr(*rest).statistic
        t = r * math.sqrt((30 - 4) / (1 - r * r))
        out[name] = float(r)
        out[name + "P"] = float(2 * stats.t.sf(abs(t), 26))
    return out


def bootstraps():
    """scipy's intervals from resamples that Kotonoha's generator draws."""
    out = []
    skewed = rng.lognormal(size=15)
    other = rng.lognormal(sigma=0.4, size=9)
    statistics = {"mean": np.mean, "median": np.median, "sd": lambda v, axis=-1: np.std(v, axis=axis, ddof=1)}
    for name, function in statistics.items():
        source = Random(7)
        drawn = []
        for sample in range(300):
            stream = source.split(sample)
            drawn.append(float(function(skewed[[stream.below(15) for _ in range(15)]])))
        held = types.SimpleNamespace(bootstrap_distribution=np.array(drawn))
        for method in ["percentile", "BCa"]:
            interval = stats.bootstrap((skewed,), function, n_resamples=0, bootstrap_result=held, method=method, vectorized=True).confidence_interval
            out.append({"statistic": name, "kind": method.lower(), "values": numbers(skewed), "low": float(interval.low), "high": float(interval.high)})
    difference = lambda a, b, axis=-1: np.mean(a, axis=axis) - np.mean(b, axis=axis)
    source, drawn = Random(7), []
    for sample in range(300):
        stream = source.split(sample)
        a = skewed[[stream.below(15) for _ in range(15)]]
        drawn.append(float(difference(a, other[[stream.below(9) for _ in range(9)]])))
    held = types.SimpleNamespace(bootstrap_distribution=np.array(drawn))
    two = stats.bootstrap((skewed, other), difference, n_resamples=0, bootstrap_result=held, method="BCa", vectorized=True).confidence_interval
    return {"one": out, "two": {"a": numbers(skewed), "b": numbers(other), "low": float(two.low), "high": float(two.high)}}


def permutations():
    d = rng.normal(0.4, 1, size=9)
    a, b = rng.normal(size=6), rng.normal(0.9, 1, size=5)
    x, y = rng.normal(size=6), rng.normal(size=6)
    tied = np.array([1.0, 1, 0, 2, -1, 2, 0, 1])
    out = {"signs": [], "groups": [], "orders": []}
    for values in (d, tied):
        p = {w: float(stats.permutation_test((values,), lambda v, axis=-1: np.mean(v, axis=axis), permutation_type="samples", n_resamples=np.inf, vectorized=True,
                                             alternative=w).pvalue) for w in ["two-sided", "less", "greater"]}
        out["signs"].append({"values": numbers(values), "p": p})
    for first, second in ((a, b), (np.array([1.0, 2, 2]), np.array([2.0, 3, 3, 4]))):
        p = {w: float(stats.permutation_test((first, second), lambda u, v, axis=-1: np.mean(u, axis=axis) - np.mean(v, axis=axis), n_resamples=np.inf, vectorized=True,
                                             alternative=w).pvalue) for w in ["two-sided", "less", "greater"]}
        out["groups"].append({"a": numbers(first), "b": numbers(second), "p": p})
    p = {w: float(stats.permutation_test((x,), lambda v: stats.pearsonr(v, y).statistic, permutation_type="pairings", n_resamples=np.inf,
                                         alternative=w).pvalue) for w in ["two-sided", "less", "greater"]}
    out["orders"].append({"a": numbers(x), "b": numbers(y), "p": p})
    return out


def proportions():
    out = []
    for k, n in [(0, 10), (10, 10), (1, 1), (3, 17), (250, 1000), (29_999, 30_000)]:
        for level in (0.95, 0.99):
            exact, wilson = (stats.binomtest(k, n).proportion_ci(level, method=m) for m in ("exact", "wilson"))
            out.append({"k": k, "n": n, "level": level, "exact": numbers(exact), "wilson": numbers(wilson)})
    tests = [{"k": k, "n": n, "chance": c, "p": {w: float(stats.binomtest(k, n, c, w).pvalue) for w in ["two-sided", "less", "greater"]}}
             for k, n, c in [(0, 10, 0.5), (7, 10, 0.5), (5, 10, 0.5), (3, 17, 0.25), (11, 17, 0.25), (250, 1000, 0.28), (9, 9, 1.0), (1, 20, 0.0)]]
    mcnemars = []
    for b, c in [(0, 0), (3, 0), (10, 4), (40, 61)]:
        table = [[20, b], [c, 30]]
        exact = mcnemar(table, exact=True)
        row = {"b": b, "c": c, "exact": float(exact.pvalue)}
        if b + c > 0:
            for name, correction in [("corrected", True), ("plain", False)]:
                found = mcnemar(table, exact=False, correction=correction)
                row[name] = [float(found.statistic), float(found.pvalue)]
        mcnemars.append(row)
    return {"intervals": out, "tests": tests, "mcnemar": mcnemars}


def adjustments():
    out = []
    for p in [[0.01, 0.04, 0.03, 0.005, 0.5], [0.2], [0.05, 0.05, 0.05], numbers(rng.uniform(0, 0.3, size=12)), [1.0, 0.0, 0.6, 1e-20]]:
        out.append({"p": p, **{name: numbers(multipletests(p, method=method)[1]) for name, method in
                               [("holm", "holm"), ("fdr", "fdr_bh"), ("fdr-by", "fdr_by"), ("bonferroni", "bonferroni")]}})
    return out


WAYS = ["two-sided", "less", "greater"]


def noncentrality(t, freedom, q):
    """The noncentrality at which t has cumulative probability q; scipy's nct has no value far out in its tails."""
    value = lambda c: stats.nct.cdf(t, freedom, c) - q
    low, high = t, t
    while value(low) < 0:
        low -= 0.5
    while value(high) > 0:
        high += 0.5
    return optimize.brentq(value, low, high, xtol=1e-13, rtol=1e-14)


def located():
    """t, Wilcoxon and Mann-Whitney tests, effect sizes."""
    samples = [rng.normal(0.4, 1, size=12), np.array([1.0, 1, 2, -1, 0, 3, 2, -2, 1, 0]), rng.normal(0.1, 1, size=80), np.round(rng.normal(0.3, 1, size=70), 1), np.array([0.5, 1.5]),
               1000 + rng.normal(0, 0.01, size=5)]
    one = []
    for d in samples:
        test = stats.ttest_1samp(d, 0)
        interval = test.confidence_interval()
        row = {"values": numbers(d), "t": float(test.statistic), "interval": numbers(interval), "p": {w: float(stats.ttest_1samp(d, 0, alternative=w).pvalue) for w in WAYS}}
        kept = d[d != 0]
        tied = len(np.unique(np.abs(kept))) < len(kept)
        # The exact distribution given ties, by enumeration where that is short; without ties from scipy's table.
        if len(kept) <= 13:
            method = stats.PermutationMethod(n_resamples=np.inf)
        else:
            method = "asymptotic" if tied or len(kept) > 50 else "exact"
        row["wilcoxon"] = {w: float(stats.wilcoxon(kept, alternative=w, method=method, correction=True).pvalue) for w in WAYS}
        row["uncorrected"] = float(stats.wilcoxon(kept, method="asymptotic", correction=False).pvalue)
        ranks = stats.rankdata(np.abs(kept))
        row["positive"] = float(ranks[kept > 0].sum())
        if abs(test.statistic) < 30:
            # Noncentrality at which t is at the edge of the interval.
            find = lambda q: noncentrality(test.statistic, len(d) - 1, q)
            row["dz"] = float(np.mean(d) / np.std(d, ddof=1))
            row["dzInterval"] = [find(0.975) / math.sqrt(len(d)), find(0.025) / math.sqrt(len(d))]
        one.append(row)
    pairs = [(rng.normal(size=8), rng.normal(0.8, 1.5, size=11)), (np.array([1.0, 2, 2, 3]), np.array([2.0, 3, 3, 4, 5])), (rng.normal(size=60), rng.normal(0.2, 1, size=55)),
             (np.array([1.0, 2.0]), np.array([3.0, 5.0])), (np.round(rng.normal(size=60), 1), np.round(rng.normal(0.3, 1, size=70), 1))]
    two = []
    for a, b in pairs:
        student, welch = stats.ttest_ind(a, b), stats.ttest_ind(a, b, equal_var=False)
        tied = len(np.unique(np.r_[a, b])) < len(a) + len(b)
        method = "asymptotic" if tied or max(len(a), len(b)) > 49 else "exact"
        freedom = len(a) + len(b) - 2
        root = math.sqrt(1 / len(a) + 1 / len(b))
        find = lambda q: noncentrality(student.statistic, freedom, q)
        sign = np.sign(a[:, None] - b[None])
        delta = sign.mean()
        rows, columns = sign.mean(1), sign.mean(0)
        m, n = sign.shape
        # Cliff 1996, with the interval of Feng & Cliff 2004.
        v = ((n - 1) * rows.var(ddof=1) + (m - 1) * columns.var(ddof=1) + ((sign - delta) ** 2).sum() / ((m - 1) * (n - 1))) / (m * n)
        v = max(v, (1 - delta ** 2) / (m * n - 1))
        z = stats.norm.ppf(0.975)
        cliff = [float(delta)]
        if delta ** 2 < 1:
            reach = z * math.sqrt(v) * math.sqrt((1 - delta ** 2) ** 2 + z * z * v)
            cliff += [max(-1.0, (delta - delta ** 3 - reach) / (1 - delta ** 2 + z * z * v)), min(1.0, (delta - delta ** 3 + reach) / (1 - delta ** 2 + z * z * v))]
        two.append({
            "a": numbers(a), "b": numbers(b), "student": {w: float(stats.ttest_ind(a, b, alternative=w).pvalue) for w in WAYS},
            "welch": {w: float(stats.ttest_ind(a, b, equal_var=False, alternative=w).pvalue) for w in WAYS}, "welchFreedom": float(welch.df),
            "welchInterval": numbers(welch.confidence_interval()), "studentInterval": numbers(student.confidence_interval()),
            "u": float(stats.mannwhitneyu(a, b).statistic), "mannWhitney": {w: float(stats.mannwhitneyu(a, b, alternative=w, method=method).pvalue) for w in WAYS},
            "d": float(student.statistic * root), "dInterval": [find(0.975) * root, find(0.025) * root],
            "hedges": float(student.statistic * root * math.exp(math.lgamma(freedom / 2) - math.lgamma((freedom - 1) / 2)) / math.sqrt(freedom / 2)), "cliff": numbers(cliff)})
    return {"one": one, "two": two}


def regressions():
    n = 40
    x = rng.normal(size=(n, 3)) * [1, 100, 1e-3] + [0, 1e4, 0]
    y = 2 + x @ [0.5, 0.01, 300] + rng.normal(size=n)
    out = {"x": [numbers(c) for c in x.T], "y": numbers(y), "ols": [], "ridge": []}
    for intercept in (True, False):
        fit = sm.OLS(y, sm.add_constant(x) if intercept else x).fit()
        out["ols"].append({"intercept": intercept, "coefficients": numbers(fit.params), "errors": numbers(fit.bse), "t": numbers(fit.tvalues), "p": numbers(fit.pvalues),
                           "intervals": fit.conf_int().tolist(), "rSquared": float(fit.rsquared), "adjusted": float(fit.rsquared_adj), "f": float(fit.fvalue), "fP": float(fit.f_pvalue),
                           "logLikelihood": float(fit.llf), "residuals": numbers(fit.resid)})
    wide = rng.normal(size=(12, 20)) + 1
    tall = rng.normal(size=(25, 6)) - 2
    new = rng.normal(size=(4, 20))
    for design in (wide, tall):
        targets = rng.normal(size=(len(design), 3)) + [0, 5, -1]
        case = {"x": numbers(design.ravel()), "rows": len(design), "y": numbers(targets.ravel()), "new": numbers(new[:, :design.shape[1]].ravel()), "fits": []}
        for alpha in (1e-3, 1.0, 100.0):
            for intercept in (True, False):
                fit = linear_model.Ridge(alpha=alpha, fit_intercept=intercept, solver="svd").fit(design, targets)
                case["fits"].append({"alpha": alpha, "intercept": intercept, "coefficients": numbers(fit.coef_.T.ravel()),
                                     "intercepts": numbers(np.broadcast_to(fit.intercept_, 3)), "predictions": numbers(fit.predict(new[:, :design.shape[1]]).ravel())})
        out["ridge"].append(case)
    return out


def classifications():
    n = 60
    x = rng.normal(size=(n, 4))
    three = (x @ rng.normal(size=(4, 3)) + rng.gumbel(size=(n, 3))).argmax(1)
    two = (three > 0).astype(int)
    logit = sm.Logit(two, sm.add_constant(x)).fit(disp=False, tol=1e-14, method="newton", maxiter=200)
    out = {"x": numbers(x.ravel()), "three": three.tolist(), "two": two.tolist(), "logit": numbers(logit.params), "errors": numbers(logit.bse), "logLikelihood": float(logit.llf), "fits": []}
    for labels, name in ((two, "two"), (three, "three")):
        for penalty in (0.1, 1.0, 30.0):
            for intercept in (True, False):
                fit = linear_model.LogisticRegression(C=1 / penalty, fit_intercept=intercept, tol=1e-12, max_iter=100_000).fit(x, labels)
                out["fits"].append({"labels": name, "penalty": penalty, "intercept": intercept, "weights": numbers(fit.coef_.ravel()), "intercepts": numbers(fit.intercept_),
                                    "probabilities": numbers(fit.predict_proba(x).ravel())})
    mn = sm.MNLogit(three, sm.add_constant(x)).fit(disp=False, tol=1e-14, method="newton", maxiter=200)
    out["multinomialLogLikelihood"] = float(mn.llf)
    out["multinomialProbabilities"] = numbers(np.asarray(mn.predict(sm.add_constant(x))).ravel())
    return out


golden = {"distributions": distributions(), "correlations": correlations(), "partial": partial(), "bootstrap": bootstraps(), "permutation": permutations(),
          "proportions": proportions(), "adjustments": adjustments(), "located": located(), "regressions": regressions(), "classifications": classifications()}

with open("Tests/StatisticsTests/Fixtures/statistics.json", "w") as out:
    json.dump(golden, out, indent=0)
