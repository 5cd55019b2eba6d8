"""What this team knows of Heddle's models. It is kept in a file; a real consumer has a database for it."""

import json
import os

from record import Event, NoEvent


def read_view(path: str) -> dict:
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {"seen": {}, "versions": {}, "figures": {}, "serving": {}}


def save_view(path: str, view: dict) -> None:
    """A crash leaves the old file or the new one."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(view, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


def apply(view: dict, event: Event) -> str:
    """Takes an event into the view, once; says what became of it. Raises NoEvent when its fields are not of their types."""
    take = TAKES.get(event.type)
    if take is None:
        return "unknown"
    name = f"{event.type} {event.key}"
    if event.place <= tuple(view["seen"].get(name, (0, 0))):
        return "repeated"
    take(view, event.data)
    view["seen"][name] = event.place
    return "applied"


def take_model(view: dict, data: dict) -> None:
    if data.get("change") == "registered":
        origin = {"dataset": field(data, "dataset", ""), "run": field(data, "run", "")}
        view["versions"][field(data, "version", "")] = {"number": field(data, "number", 0), **origin}


def take_evaluation(view: dict, data: dict) -> None:
    # The event of the verdict comes later and has no figures.
    if "metrics" not in data:
        return
    figures = {"dataset": field(data, "dataset", "")}
    for metric in field(data, "metrics", []):
        if isinstance(metric, dict) and metric.get("name") == "auc" and "candidate" in metric:
            auc = field(metric, "candidate", {})
            figures["auc"] = [field(auc, end, 0.0) for end in ("value", "low", "high")]
    view["figures"][field(data, "version", "")] = figures


def take_rollout(view: dict, data: dict) -> None:
    if data.get("change") in ("serving", "rolled-back"):
        place = f"{field(data, 'fleet', '')}/{field(data, 'model', '')}"
        view["serving"][place] = field(data, "version", "")


TAKES = {
    "heddle.registry.v1.ModelEvent": take_model,
    "heddle.evaluator.v1.EvaluationEvent": take_evaluation,
    "heddle.sync.v1.RolloutEvent": take_rollout,
}


def field(data: dict, name: str, absent):
    """A field that is left out is empty, or 0."""
    value = data.get(name, absent)
    kind = (int, float) if isinstance(absent, float) else type(absent)
    if not isinstance(value, kind):
        raise NoEvent(f"{name} is no {type(absent).__name__}")
    return value


def describe(view: dict) -> list[str]:
    """A line for each model that serves. Topics come in any order: what is not known yet is said to be so."""
    lines = []
    for place, version in view["serving"].items():
        made, measured = view["versions"].get(version, {}), view["figures"].get(version, {})
        auc = "AUC {:.4f} ({:.4f} to {:.4f})".format(*measured["auc"]) if "auc" in measured else "AUC ?"
        says = [
            f"{place}: v{made.get('number', '?')} {short(version)} serves",
            f"{auc} on dataset {short(measured.get('dataset', '?'))}",
            f"trained on dataset {short(made.get('dataset', '?'))} by run {short(made.get('run', '?'))}",
        ]
        lines.append("; ".join(says))
    return lines


def short(name: str) -> str:
    return name[:12]
