#!/usr/bin/env python3
"""What scikit-learn, PyTorch and transformers say of classifiers, as fixtures of StatisticsTests and TrainingTests.

Made with scikit-learn 1.9.1, torch 2.13.0, transformers 5.24.0; -P keeps statistics.py beside this file from hiding Python's own.

    python -P tools/golden/classifiers.py statistics Tests/StatisticsTests/Fixtures/classification.json
    python -P tools/golden/classifiers.py training Tests/TrainingTests/Fixtures/classifier
    python -P tools/golden/classifiers.py linear Tests/TrainingTests/Fixtures/classifier
"""
import json
import os
import sys

import numpy as np

TEXTS = ["The cat sat on the mat.", "A dog  barked\tloudly!", "Cats and dogs", "two dogs play in the snow", "犬が走る。", "猫が眠る。犬も眠る。", "snow, snow, snow", "The mat was on the cat?",
         "dogs play", "I do not know", "ÉCOLE et école", "the dog and the cat play", "mat", "loud dogs barked", "犬は雪で遊ぶ", "nothing here"]
LABELS = [0, 1, 2, 1, 1, 0, 2, 0, 1, 2, 2, 1, 0, 1, 1, 2]


def statistics(path):
    from scipy.optimize import minimize_scalar
    from sklearn import metrics
    from sklearn.linear_model import LogisticRegression, Ridge

    rng = np.random.default_rng(5)
    truth, predicted = rng.integers(0, 4, 60), rng.integers(0, 3, 60)
    predicted[:30] = truth[:30]
    matrix = {
        "truth": truth.tolist(), "predicted": predicted.tolist(), "accuracy": metrics.accuracy_score(truth, predicted), "matthews": metrics.matthews_corrcoef(truth, predicted),
        "macro_f1": metrics.f1_score(truth, predicted, average="macro"), "weighted_f1": metrics.f1_score(truth, predicted, average="weighted"),
        "f1": metrics.f1_score(truth, predicted, average=None).tolist(),
        "precision": metrics.precision_score(truth, predicted, average=None, zero_division=0).tolist(), "recall": metrics.recall_score(truth, predicted, average=None).tolist(),
    }
    x = rng.standard_normal((40, 12)) * (rng.random((40, 12)) < 0.3)
    y = rng.integers(0, 3, 40)
    weights = rng.random(40) + 0.5
    fit = LogisticRegression(C=1 / 0.7, tol=1e-10, max_iter=10000).fit(x, y, sample_weight=weights)
    two = LogisticRegression(C=1 / 0.7, tol=1e-10, max_iter=10000, class_weight="balanced").fit(x, y > 0)
    target = rng.standard_normal(40)
    ridge = Ridge(alpha=0.9).fit(x, target)
    logits = rng.standard_normal((50, 3)) * 4
    labels = np.array([rng.choice(3, p=np.exp(z / 2) / np.exp(z / 2).sum()) for z in logits])

    def nll(log_t):
        z = logits / np.exp(log_t)
        return (np.log(np.exp(z - z.max(1, keepdims=True)).sum(1)) + z.max(1) - z[np.arange(50), labels]).sum()

    best = minimize_scalar(nll, bounds=(-3, 3), method="bounded", options={"xatol": 1e-10})
    json.dump({
        "matrix": matrix, "x": x.tolist(), "y": y.tolist(), "weights": weights.tolist(), "probabilities": fit.predict_proba(x).tolist(), "balanced": two.decision_function(x).tolist(),
        "target": target.tolist(), "ridge": ridge.predict(x).tolist(), "logits": logits.tolist(), "labels": labels.tolist(), "temperature": float(np.exp(best.x)),
    }, open(path, "w"))


def fine_tuned(model, forward):
    """Eight steps of AdamW with a linear warm-up and decay and clipped gradients on one batch: losses, then logits.

    forward gives loss and logits.
    """
    import torch
    import transformers as t

    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    decayed, plain = [p for _, p in named if p.dim() > 1], [p for _, p in named if p.dim() <= 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}], lr=1e-2)
    schedule = t.get_linear_schedule_with_warmup(optimizer, 1, 8)
    losses = []
    model.train()
    for _ in range(8):
        loss, _ = forward()
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    model.eval()
    with torch.no_grad():
        return {"losses": losses, "logits": forward()[1].tolist()}


def linear_head(folder, tokenizer):
    """A linear layer, zeros at first, on the mean of the last layer's tokens."""
    import torch
    import transformers as t

    bert = t.BertModel.from_pretrained(folder, add_pooling_layer=False)
    head = torch.nn.Linear(bert.config.hidden_size, 3)
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.zeros_(head.bias)
    batch = tokenizer(TEXTS, padding=True, truncation=True, max_length=32, return_tensors="pt")
    labels, mask = torch.tensor(LABELS), batch["attention_mask"].unsqueeze(-1).float()

    def forward():
        states = bert(**batch).last_hidden_state
        logits = head((states * mask).sum(1) / mask.sum(1))
        return torch.nn.functional.cross_entropy(logits, labels), logits

    return fine_tuned(torch.nn.ModuleList([bert, head]), forward)


def linear(folder):
    """Adds the run of the linear head to fixtures that are there, and leaves the rest as it is."""
    import transformers as t

    path = os.path.join(folder, "golden.json")
    golden = json.load(open(path))
    golden["runs"]["linear"] = linear_head(folder, t.BertTokenizer(os.path.join(folder, "vocab.txt"), do_lower_case=True))
    json.dump(golden, open(path, "w"), ensure_ascii=False)


def training(folder):
    import torch
    import transformers as t
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    os.makedirs(folder, exist_ok=True)
    train, test = TEXTS[:12], TEXTS[12:]
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(2, 5), min_df=2)
    x = vectorizer.fit_transform(train)
    golden = {"texts": TEXTS, "labels": LABELS, "train": 12, "features": len(vectorizer.vocabulary_), "tfidf": {}}
    for name, y in (("three", LABELS[:12]), ("two", [int(l > 0) for l in LABELS[:12]])):
        model = LogisticRegression(C=10, tol=1e-10, max_iter=10000).fit(x, y)
        golden["tfidf"][name] = model.predict_proba(vectorizer.transform(test)).tolist()

    # A tiny BERT without dropout learns from one batch of all rows, eight times over: AdamW, linear warm-up and decay, clipped gradients.
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [chr(c) for c in range(97, 123)] + ["##" + chr(c) for c in range(97, 123)]
    open(os.path.join(folder, "vocab.txt"), "w").write("\n".join(words) + "\n")
    tokenizer = t.BertTokenizer(os.path.join(folder, "vocab.txt"), do_lower_case=True)
    config = t.BertConfig(vocab_size=len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24, max_position_embeddings=48,
                          hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    torch.manual_seed(3)
    base = t.BertModel(config)
    with torch.no_grad():
        for p in base.parameters():
            if p.dim() > 1:
                p.mul_(6)
    base.save_pretrained(folder)
    json.dump({"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 32}, open(os.path.join(folder, "tokenizer_config.json"), "w"))
    for name in ("tokenizer.json", "special_tokens_map.json"):
        if os.path.exists(os.path.join(folder, name)):
            os.remove(os.path.join(folder, name))
    runs = {}
    for name, extra in (("classification", {"num_labels": 3}), ("pairs", {"num_labels": 3}), ("regression", {"num_labels": 1, "problem_type": "regression"})):
        model = t.BertForSequenceClassification.from_pretrained(folder, **extra)
        # The head of the trainer under test begins at zeros, so that no random numbers need agree.
        with torch.no_grad():
            model.classifier.weight.zero_()
            model.classifier.bias.zero_()
        second = [TEXTS[(i + 5) % len(TEXTS)] for i in range(len(TEXTS))] if name == "pairs" else None
        batch = tokenizer(TEXTS, second, padding=True, truncation=True, max_length=32, return_tensors="pt")
        labels = torch.tensor(LABELS)
        if name == "regression":
            labels = labels.double()
            labels = ((labels - labels.mean()) / labels.std()).float()

        def forward(model=model, batch=batch, labels=labels):
            out = model(**batch, labels=labels)
            return out.loss, out.logits

        runs[name] = fine_tuned(model, forward)
    runs["linear"] = linear_head(folder, tokenizer)
    golden["runs"] = runs
    golden["ids"] = tokenizer(TEXTS, truncation=True, max_length=32)["input_ids"]
    json.dump(golden, open(os.path.join(folder, "golden.json"), "w"), ensure_ascii=False)


if __name__ == "__main__":
    {"statistics": statistics, "training": training, "linear": linear}[sys.argv[1]](sys.argv[2])
