"""Golden values for Tests/RepresentationsTests, written to Tests/RepresentationsTests/Fixtures/representations.json.

Run from the package's root with numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1, rsatoolbox 0.3.2, himalaya 0.4.11.

With --measure nothing is written: the built program and analysis-bench run on new data beside these libraries, and the largest differences are printed.
"""
import csv
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings
import numpy as np
from himalaya.ridge import Ridge, RidgeCV
from himalaya.ridge._random_search import solve_group_ridge_random_search
from himalaya.scoring import r2_score_split
from rsatoolbox.data import Dataset
from rsatoolbox.data.noise import cov_from_unbalanced
from rsatoolbox.inference import boot_noise_ceiling
from rsatoolbox.rdm import RDMs, compare
from rsatoolbox.rdm.calc import calc_rdm_crossnobis, calc_rdm_mahalanobis
from rsatoolbox.util.inference_util import pool_rdm
from scipy.cluster import hierarchy
from scipy.spatial import procrustes
from scipy.spatial.distance import pdist, squareform
from sklearn.manifold import smacof
from sklearn.model_selection import KFold
from sklearn.neighbors import NearestCentroid

warnings.filterwarnings("ignore")
rng = np.random.default_rng(14)


def numbers(values):
    return [float(v) for v in np.asarray(values).ravel()]


def distances():
    x = rng.normal(size=(9, 5)) + 2
    return {"rows": 9, "x": numbers(x), **{m: numbers(pdist(x, m)) for m in ["cosine", "correlation", "euclidean", "sqeuclidean"]}}


def trees():
    out = []
    continuous, tied = pdist(rng.normal(size=(25, 4))), pdist(rng.integers(0, 3, size=(14, 2)).astype(float))
    for name, d, n in [("continuous", continuous, 25), ("tied", tied, 14), ("two", np.array([0.7]), 2)]:
        for method in ["average", "complete", "single", "ward"]:
            z = hierarchy.linkage(d, method)
            cut = float(np.median(z[:, 2]))
            out.append({"n": n, "distances": numbers(d), "method": method, "merges": z.tolist(), "leaves": hierarchy.leaves_list(z).tolist(),
                        "height": cut, "byHeight": hierarchy.fcluster(z, cut, "distance").tolist(), "cophenetic": numbers(hierarchy.cophenet(z))})
    return out


def scalings():
    d = pdist(rng.normal(size=(16, 5)))
    m = squareform(d)
    j = np.eye(16) - 1 / 16
    values, vectors = np.linalg.eigh(-0.5 * j @ (m ** 2) @ j)
    values, vectors = values[::-1], vectors[:, ::-1]
    start = vectors[:, :2] * np.sqrt(values[:2])
    out = {"distances": numbers(d), "eigenvalues": numbers(values), "distancesOfClassical": numbers(pdist(start))}
    for name, metric in [("metric", True), ("nonmetric", False)]:
        x, stress, iterations = smacof(m, metric=metric, init=start, n_init=1, max_iter=300, eps=1e-6, normalized_stress=True, return_n_iter=True)
        out[name] = {"stress": float(stress), "iterations": int(iterations), "distances": numbers(pdist(x))}
    return out


NAMES = {"pearson": "corr", "spearman": "spearman", "rho-a": "rho-a", "tau-a": "tau-a", "cosine": "cosine", "cov-weighted": "corr_cov"}


def comparisons():
    n = 12
    common = rng.normal(size=(n, 6))
    subjects = np.array([pdist(common + 0.8 * rng.normal(size=(n, 6))) for _ in range(5)])
    models = np.array([pdist(common), pdist((np.arange(n) // 4)[:, None].astype(float)), pdist(rng.normal(size=(n, 3)))])
    data = RDMs(subjects)
    out = {"conditions": n, "subjects": subjects.tolist(), "models": models.tolist(), "agreement": {}, "ceiling": {}}
    for name, method in NAMES.items():
        out["agreement"][name] = compare(RDMs(models), data, method).tolist()
        out["ceiling"][name] = numbers(boot_noise_ceiling(data, method))
    return out


def encodings():
    x, y = rng.normal(size=(10, 4)), rng.normal(size=(10, 7))
    y += x @ rng.normal(size=(4, 7)) * 0.7
    wins = []
    for i in range(10):
        for k in range(i + 1, 10):
            train = [t for t in range(10) if t not in (i, k)]
            centre, scale = x[train].mean(0), x[train].std(0)
            z = (x - centre) / scale
            fit = Ridge(alpha=2.0, fit_intercept=True).fit(z[train], y[train])
            p = fit.predict(z[[i, k]])
            cosine = lambda a, b: a @ b / np.linalg.norm(a) / np.linalg.norm(b)
            wins.append(float(cosine(p[0], y[i]) + cosine(p[1], y[k]) > cosine(p[0], y[k]) + cosine(p[1], y[i])))
    return {"x": numbers(x), "y": numbers(y), "leaveTwoOut": float(np.mean(wins))}


def trials():
    """Noise covariance, Mahalanobis and cross-validated distances; five conditions, three folds with two trials each."""
    conditions, folds, channels = np.repeat(np.arange(5), 6), np.tile(np.repeat(np.arange(3), 2), 5), 4
    mix = rng.normal(size=(channels, channels))
    x = rng.normal(size=(5, channels))[conditions] * 1.5 + rng.normal(size=(30, channels)) @ mix + 3
    data = Dataset(x, obs_descriptors={"c": conditions, "f": folds})
    out = {"x": numbers(x), "conditions": [f"c{c}" for c in conditions], "folds": [f"f{f}" for f in folds], "channels": channels}
    for ours, theirs in [("diagonal", "shrinkage_diag"), ("identity", "shrinkage_eye"), ("none", "full")]:
        covariance = cov_from_unbalanced(data, "c", method=theirs)
        precision = np.linalg.inv(covariance)
        out[ours] = {"covariance": numbers(covariance), "mahalanobis": numbers(calc_rdm_mahalanobis(data, "c", precision).dissimilarities),
                     "crossnobis": numbers(calc_rdm_crossnobis(data, "c", precision, cv_descriptor="f").dissimilarities)}
    # Nearest mean in channels that the training folds have whitened, by scikit-learn.
    right, total = np.zeros(10), np.zeros(10)
    for fold in range(3):
        train = folds != fold
        precision = np.linalg.inv(cov_from_unbalanced(Dataset(x[train], obs_descriptors={"c": conditions[train]}), "c", method="shrinkage_diag"))
        z = x @ np.linalg.cholesky(precision)
        for pair, (i, j) in enumerate((i, j) for i in range(5) for j in range(i + 1, 5)):
            some = (conditions == i) | (conditions == j)
            guess = NearestCentroid().fit(z[train & some], conditions[train & some]).predict(z[~train & some])
            right[pair] += np.sum(guess == conditions[~train & some])
            total[pair] += len(guess)
    out["decoding"] = numbers(right / total)
    return out


def banded():
    """The search over weightings and penalties, with given folds; plain ridge coefficients; splits of R²."""
    n, widths = 24, [3, 5]
    xs = [rng.normal(size=(n, w)) for w in widths]
    y = xs[0] @ rng.normal(size=(3, 6)) + 0.4 * xs[1] @ rng.normal(size=(5, 6)) + rng.normal(size=(n, 6))
    gammas, alphas = np.array([[0.5, 0.5], [0.9, 0.1], [0.1, 0.9], [0.7, 0.3]]), np.logspace(-1, 3, 5)
    _, _, scores = solve_group_ridge_random_search(xs, y, n_iter=gammas, alphas=alphas, fit_intercept=True, cv=KFold(4), progress_bar=False)[:3]
    x = np.concatenate(xs, 1)
    plain = Ridge(alpha=2.0, fit_intercept=True).fit(x, y)
    centred, beta = x - x.mean(0), plain.coef_
    parts = np.array([centred[:, :3] @ beta[:3], centred[:, 3:] @ beta[3:]])
    return {"x": numbers(x), "y": numbers(y), "rows": n, "widths": widths, "weightings": gammas.tolist(), "penalties": numbers(alphas), "scores": np.asarray(scores).tolist(),
            "coefficients": numbers(beta), "intercepts": numbers(plain.intercept_), "split": r2_score_split(y - y.mean(0), parts).tolist()}


def alignments():
    a, b = rng.normal(size=(9, 2)), rng.normal(size=(9, 2))
    return {"a": numbers(a), "b": numbers(b), "disparity": float(procrustes(a, b)[2])}


def measure(build=pathlib.Path(".build/release")):
    """The largest difference between the program's output and each library on data that no test has seen."""
    work = pathlib.Path(tempfile.mkdtemp())

    def table(*arguments, output="out.csv"):
        subprocess.run([build / "kotonoha", *map(str, arguments), "-o", work / output, "--quiet", "--decimals", "17"], check=True, stdout=subprocess.DEVNULL)
        return list(csv.DictReader(open(work / output))) if output.endswith(".csv") else None

    def write(name, header, rows):
        with open(work / name, "w") as file:
            print(*header, sep="\t", file=file)
            for row in rows:
                print(*[repr(float(v)) if not isinstance(v, str) else v for v in row], sep="\t", file=file)
        return work / name

    def square(rows, n):
        return squareform(np.array([[float(r[f"c{j}"]) for j in range(n)] for r in rows]), checks=False)

    def say(library, what, difference):
        print(f"{library}\t{what}\t{difference:.2e}")

    n, labels = 40, [f"c{i}" for i in range(40)]
    x = rng.normal(size=(n, 7)) + 1
    features = write("x.tsv", ["label", *"abcdefg"], [[labels[i], *x[i]] for i in range(n)])
    for metric in ["cosine", "correlation", "euclidean", "sqeuclidean"]:
        say("SciPy", f"pdist {metric}", np.max(np.abs(square(table("rdm", features, "--label-column", "label", "--metric", metric), n) - pdist(x, metric))))
    d = pdist(x)
    table("rdm", features, "--label-column", "label", "--metric", "euclidean", output="d.rdm.h5")
    for method in ["average", "complete", "single", "ward"]:
        z, rows = hierarchy.linkage(d, method), table("cluster", work / "d.rdm.h5", "--tree", method)
        say("SciPy", f"linkage {method}", np.max(np.abs(z - np.array([[float(r[k]) for k in ["first", "second", "height", "size"]] for r in rows]))))
    m = squareform(d)
    values, vectors = np.linalg.eigh(-0.5 * (np.eye(n) - 1 / n) @ (m ** 2) @ (np.eye(n) - 1 / n))
    start = vectors[:, ::-1][:, :2] * np.sqrt(values[::-1][:2])
    for metric in ["metric", "nonmetric"]:
        found = np.array([[float(r["x1"]), float(r["x2"])] for r in table("mds", work / "d.rdm.h5", "--method", metric)])
        theirs = smacof(m, metric=metric == "metric", init=start, n_init=1, max_iter=300, eps=1e-6, normalized_stress=True)[0]
        say("scikit-learn", f"smacof {metric}, distances in the map", np.max(np.abs(pdist(found) - pdist(theirs))))

    subjects = np.array([pdist(x + rng.normal(size=x.shape)) for _ in range(5)])
    models = np.array([d, pdist((np.arange(n) // 10)[:, None].astype(float)), pdist(rng.normal(size=(n, 3)))])
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    write("pairs.tsv", ["a", "b", "m0", "m1", "m2", *[f"s{k}" for k in range(5)]],
          [[labels[i], labels[j], *models[:, k], *subjects[:, k]] for k, (i, j) in enumerate(pairs)])
    for name, method in NAMES.items():
        rows = table("rsa", f"{work}/pairs.tsv:m0,m1,m2", "--data", f"{work}/pairs.tsv:s0,s1,s2,s3,s4", "--method", name, "--permutations", 1, "--resamples", 0)
        found = [float(r["value"]) for r in rows if r["kind"] in ("model", "noise ceiling")]
        theirs = [*compare(RDMs(models), RDMs(subjects), method).mean(1), *boot_noise_ceiling(RDMs(subjects), method)]
        say("rsatoolbox", f"compare and noise ceiling {name}", np.max(np.abs(np.array(found) - theirs)))

    conditions, folds = np.repeat(np.arange(6), 8), np.tile(np.repeat(np.arange(4), 2), 6)
    trials = rng.normal(size=(6, 5))[conditions] + rng.normal(size=(48, 5)) @ rng.normal(size=(5, 5))
    np.save(work / "trials.npy", trials[None])
    write("trials.tsv", ["condition", "fold"], [[f"c{c}", f"f{f}"] for c, f in zip(conditions, folds)])
    data = Dataset(trials, obs_descriptors={"c": conditions, "f": folds})
    for ours, theirs in [("diagonal", "shrinkage_diag"), ("identity", "shrinkage_eye")]:
        precision = np.linalg.inv(cov_from_unbalanced(data, "c", method=theirs))
        for metric, rdm in [("mahalanobis", calc_rdm_mahalanobis(data, "c", precision)), ("crossnobis", calc_rdm_crossnobis(data, "c", precision, cv_descriptor="f"))]:
            rows = table("rdm", work / "trials.npy", "--trials", work / "trials.tsv", "--metric", metric, "--shrinkage", ours)
            say("rsatoolbox", f"{metric}, noise shrunk toward {ours}", np.max(np.abs(square(rows, 6) - rdm.dissimilarities[0])))

    rows, width, voxels = 200, 30, 50
    x = rng.normal(size=(rows, width)).astype(np.float32)
    y = (x @ rng.normal(size=(width, voxels)) + 4 * rng.normal(size=(rows, voxels))).astype(np.float32)
    x.tofile(work / "x.f32"), y.tofile(work / "y.f32")
    found = json.loads(subprocess.run([build / "analysis-bench", "encoding", work / "x.f32", str(rows), str(width), f"responses={work}/y.f32", f"voxels={voxels}"], check=True, capture_output=True, text=True).stdout)
    alphas = np.logspace(-2, 5, 15)
    model = RidgeCV(alphas=alphas, fit_intercept=True, cv=KFold(5)).fit(x.astype(float), y.astype(float))
    say("himalaya", "RidgeCV, coefficients (float32 here)", np.max(np.abs(np.array(found["first"]) - model.coef_[:5, 0])))
    same = np.mean(np.isclose(alphas[found["chosen"]], model.best_alphas_))
    print(f"himalaya\tRidgeCV, the same penalty\t{same:.1%} of {voxels} responses")


if "--measure" in sys.argv:
    measure()
    sys.exit()

golden = {"distances": distances(), "trees": trees(), "scalings": scalings(), "comparisons": comparisons(), "encodings": encodings(),
          "trials": trials(), "banded": banded(), "alignments": alignments()}
with open("Tests/RepresentationsTests/Fixtures/representations.json", "w") as out:
    json.dump(golden, out, indent=0)
