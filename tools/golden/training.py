"""Golden values for Tests/TrainingTests: losses of sentence-transformers with gradients, and trajectories of PyTorch's optimizers and schedules.

Made with torch 2.15.0, sentence-transformers 6.2.0, transformers' schedules, timm 1.0.15 (LAMB).
Run: python tools/golden/training.py > Tests/TrainingTests/Fixtures/training.json
"""
import json
import logging
import torch
from torch.nn import functional as F
from sentence_transformers import losses, util

logging.disable(logging.CRITICAL)
torch.manual_seed(21)
torch.set_default_dtype(torch.float64)


def listed(t):
    return {"shape": list(t.shape), "data": [float(f"{v:.12g}") for v in t.detach().flatten().tolist()]}


def rounded(*shape, scale=1.0):
    return torch.tensor([float(f"{v:.6g}") for v in (torch.randn(*shape) * scale).flatten().tolist()]).reshape(*shape)


class NoModel(torch.nn.Module):
    """Stands for the sentence encoder: the features are the vectors."""

    def forward(self, features):
        return {"sentence_embedding": features["x"]}


model = NoModel()
result = {"losses": {}, "optimizers": {}, "schedules": {}}


def loss_case(name, function, vectors, labels=None):
    vectors = [v.clone().requires_grad_() for v in vectors]
    value = function([{"x": v} for v in vectors], labels)
    value.backward()
    result["losses"][name] = {
        "vectors": [listed(v) for v in vectors], "labels": labels.tolist() if labels is not None else [], "loss": value.item(),
        "gradients": [listed(v.grad) for v in vectors],
    }


a, b, c = rounded(6, 8), rounded(6, 8), rounded(6, 8)
labels = torch.tensor([0.25, 0.875, 0.5, 0.5, 0.0, 1.0])
ranking = losses.MultipleNegativesRankingLoss(model, scale=10.0, similarity_fct=util.cos_sim)
loss_case("inBatchNegatives", ranking, [a, b])
loss_case("inBatchNegatives.hard", ranking, [a, b, c])
loss_case("inBatchNegatives.symmetric", losses.MultipleNegativesSymmetricRankingLoss(model, scale=10.0, similarity_fct=util.cos_sim), [a, b])
loss_case("cosent", losses.CoSENTLoss(model, scale=20.0), [a, b], labels)
loss_case("cosineRegression", losses.CosineSimilarityLoss(model), [a, b], labels)
loss_case("triplet.euclidean", losses.TripletLoss(model, triplet_margin=1.5), [a, b, c])
loss_case("triplet.cosine", losses.TripletLoss(model, distance_metric=losses.TripletDistanceMetric.COSINE, triplet_margin=0.4), [a, b, c])
loss_case("distillation", lambda f, y: F.mse_loss(f[0]["x"], c), [a])
result["losses"]["distillation"]["teacher"] = listed(c)


def relational(f, y):
    teacher = (F.normalize(c) @ F.normalize(b).T * 5).softmax(1)
    return -(teacher * (F.normalize(f[0]["x"]) @ F.normalize(f[1]["x"]).T * 5).log_softmax(1)).sum(1).mean()


loss_case("similarityDistillation", relational, [a, c])
result["losses"]["similarityDistillation"]["teacher"] = listed(torch.cat([c, b]))


def matryoshka(f, y):
    total = 0
    for dimension, weight in [(8, 1.0), (4, 0.5), (2, 0.25)]:
        total = total + weight * ranking([{"x": v["x"][:, :dimension]} for v in f], None)
    return total


loss_case("matryoshka", matryoshka, [a, b])

# Optimizers: 12 steps on sum((p - target)^4) + sum(p * noise_k), a matrix that decays and a vector that does not.
start, target, vector_start = rounded(4, 3), rounded(4, 3), rounded(5)
noise = [(rounded(4, 3, scale=0.1), rounded(5, scale=0.1)) for _ in range(12)]


def trajectory(name, make):
    matrix, vector = start.clone().requires_grad_(), vector_start.clone().requires_grad_()
    optimizer = make([{"params": [matrix], "weight_decay": 0.05}, {"params": [vector], "weight_decay": 0.0}])
    gradients = []
    for n_matrix, n_vector in noise:
        optimizer.zero_grad()
        ((matrix - target) ** 4).sum().mul(0.1).add((matrix * n_matrix).sum()).add((vector ** 2).sum() * 0.3 + (vector * n_vector).sum()).backward()
        gradients.append([listed(matrix.grad), listed(vector.grad)])
        optimizer.step()
    result["optimizers"][name] = {"gradients": gradients, "matrix": listed(matrix), "vector": listed(vector)}


trajectory("sgd", lambda g: torch.optim.SGD(g, lr=0.05))
trajectory("momentum", lambda g: torch.optim.SGD(g, lr=0.05, momentum=0.9))
trajectory("nesterov", lambda g: torch.optim.SGD(g, lr=0.05, momentum=0.9, nesterov=True))
trajectory("adagrad", lambda g: torch.optim.Adagrad(g, lr=0.05))
trajectory("adam", lambda g: torch.optim.Adam(g, lr=0.05))
trajectory("adamw", lambda g: torch.optim.AdamW(g, lr=0.05))
try:
    from timm.optim import Lamb
    trajectory("lamb", lambda g: Lamb(g, lr=0.05, max_grad_norm=None, always_adapt=True))
except ImportError as error:
    raise SystemExit(f"pip install timm==1.0.15: {error}")
result["start"] = {"matrix": listed(start), "vector": listed(vector_start)}

# Schedules over 40 steps with 8 of warm-up.
import transformers


def rates(make):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule, out = make(optimizer), []
    for _ in range(40):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return out


result["schedules"] = {
    "constant": rates(lambda o: transformers.get_constant_schedule_with_warmup(o, 8)),
    "linear": rates(lambda o: transformers.get_linear_schedule_with_warmup(o, 8, 40)),
    "cosine": rates(lambda o: transformers.get_cosine_schedule_with_warmup(o, 8, 40)),
    "one-cycle": rates(lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 1.0, total_steps=40, pct_start=0.2, cycle_momentum=False)),
}
print(json.dumps(result, separators=(",", ":")))
