"""Trains LightGBM on the rows that `npm run bench -- quality` exported, and predicts each holdout week.

    python peer.py FOLDER THREADS TREES

For each holdout week it is trained on all training rows of the weeks before. FOLDER holds rows.json and rows.f32; for each
setting a file predictions-<setting>.f32 is written beside them, the holdouts' rows in their order.
"""

import json
import pathlib
import sys
import time

import lightgbm
import numpy

folder = pathlib.Path(sys.argv[1])
threads, trees = int(sys.argv[2]), int(sys.argv[3])

given = json.loads((folder / "rows.json").read_text())
columns, parts = given["columns"], given["parts"]
width = len(columns) + 1  # the label is the last column
values = numpy.fromfile(folder / "rows.f32", dtype="<f4")

# One matrix of a known shape, filled part by part: each part lies column after column.
rows = numpy.empty((sum(part["rows"] for part in parts), width), dtype="f4")
at = 0
for part in parts:
    part["rows_at"] = slice(at, at + part["rows"])
    block = values[at * width : (at + part["rows"]) * width]
    rows[part["rows_at"]] = block.reshape(width, part["rows"]).T
    at += part["rows"]
del values

categories = [i for i, column in enumerate(columns) if column["kind"] == "category"]
common = dict(
    objective="binary",
    num_leaves=31,
    learning_rate=0.05,
    num_threads=threads,
    seed=1,
    deterministic=True,
    verbose=-1,
    # The columns hold ids of ten thousand values; these are LightGBM's own bounds otherwise.
    max_bin=255,
)
settings = {
    "lightgbm": {},
    "lightgbm-regularised": dict(cat_smooth=100, cat_l2=50, max_cat_threshold=128),
}
holdouts = [part for part in parts if part["use"] == "holdout"]
for name, extra in settings.items():
    predictions = []
    for holdout in holdouts:
        started = time.time()
        earlier = [p for p in parts if p["use"] == "training" and p["week"] < holdout["week"]]
        train = numpy.concatenate([rows[p["rows_at"]] for p in earlier])
        data = lightgbm.Dataset(train[:, :-1], train[:, -1], categorical_feature=categories)
        booster = lightgbm.train({**common, **extra}, data, trees)
        predictions.append(booster.predict(rows[holdout["rows_at"]][:, :-1], raw_score=True))
        took = time.time() - started
        weeks = f"weeks {earlier[0]['week']}-{earlier[-1]['week']}"
        print(f"{name} for week {holdout['week']}: {weeks}, {len(train)} rows, {took:.0f} s", flush=True)
    numpy.concatenate(predictions).astype("<f4").tofile(folder / f"predictions-{name}.f32")
