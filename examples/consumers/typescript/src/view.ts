import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Event } from "./record.ts";

/** What this team knows. It is kept in a file; a real consumer has a database for it. */
export interface View {
  /** Highest [revision, n] by type and key. */
  readonly seen: Record<string, readonly [number, number]>;
  /** By name. */
  readonly versions: Record<string, Origin>;
  /** By version, what was measured last. */
  readonly figures: Record<string, Figures>;
  /** By `fleet/model`, the version that serves. */
  readonly serving: Record<string, string>;
}

interface Origin {
  readonly number: number;
  readonly dataset: string;
  readonly run: string;
}

interface Figures {
  readonly dataset: string;
  /** Value, low and high end of its 95 % interval. */
  readonly auc?: readonly [number, number, number];
}

export function readView(file: string): View {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as View;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return { seen: {}, versions: {}, figures: {}, serving: {} };
  }
}

/** A crash leaves the old file or the new one. */
export function saveView(file: string, view: View): void {
  writeFileSync(`${file}.new`, JSON.stringify(view), { flush: true });
  renameSync(`${file}.new`, file);
}

/** What became of an event. */
export type Effect = "applied" | "repeated" | "unknown";

/**
 * Takes an event into the view, once.
 *
 * @throws when its fields are not of the types that the contract says.
 */
export function apply(view: View, event: Event): Effect {
  const take = takes[event.type];
  if (take === undefined) return "unknown";
  const place = `${event.type} ${event.key}`;
  const [revision, n] = view.seen[place] ?? [0, 0];
  if (event.revision < revision || (event.revision === revision && event.n <= n)) {
    return "repeated";
  }
  take(view, event.data);
  view.seen[place] = [event.revision, event.n];
  return "applied";
}

type Data = Event["data"];

const takes: Readonly<Record<string, (view: View, data: Data) => void>> = {
  "heddle.registry.v1.ModelEvent": (view, data) => {
    if (data["change"] !== "registered") return;
    const origin = { dataset: text(data, "dataset"), run: text(data, "run") };
    view.versions[text(data, "version")] = { number: number(data, "number"), ...origin };
  },
  "heddle.evaluator.v1.EvaluationEvent": (view, data) => {
    // The event of the verdict comes later and has no figures.
    if (data["metrics"] === undefined) return;
    const metrics = data["metrics"] as readonly Data[];
    const auc = metrics.find(({ name }) => name === "auc")?.["candidate"] as Data | undefined;
    view.figures[text(data, "version")] = {
      dataset: text(data, "dataset"),
      ...(auc && { auc: [number(auc, "value"), number(auc, "low"), number(auc, "high")] }),
    };
  },
  "heddle.sync.v1.RolloutEvent": (view, data) => {
    if (data["change"] !== "serving" && data["change"] !== "rolled-back") return;
    view.serving[`${text(data, "fleet")}/${text(data, "model")}`] = text(data, "version");
  },
};

/** A field that is left out is empty, or 0. */
function text(data: Data, name: string): string {
  const value = data[name] ?? "";
  if (typeof value !== "string") throw new TypeError(`${name} is no text`);
  return value;
}

function number(data: Data, name: string): number {
  const value = data[name] ?? 0;
  if (typeof value !== "number") throw new TypeError(`${name} is no number`);
  return value;
}

/** A line for each model that serves. Topics come in any order: what is not known yet is said to be so. */
export function describe(view: View): readonly string[] {
  return Object.entries(view.serving).map(([place, version]) => {
    const [made, measured] = [view.versions[version], view.figures[version]];
    const [value, low, high] = measured?.auc?.map((figure) => figure.toFixed(4)) ?? [];
    const auc = value === undefined ? "AUC ?" : `AUC ${value} (${low} to ${high})`;
    return [
      `${place}: v${made?.number ?? "?"} ${short(version)} serves`,
      `${auc} on dataset ${short(measured?.dataset)}`,
      `trained on dataset ${short(made?.dataset)} by run ${short(made?.run)}`,
    ].join("; ");
  });
}

const short = (name = "?"): string => name.slice(0, 12);
