import { type ErrorCode, HeddleError, shortName } from "@heddle/base";

/** An object in the store, as documents keep it. */
export interface ObjectPlace {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What a target showed of a version: the digest of its memory, and its golden outputs' error. */
export interface Proof {
  readonly expectedDigest: string;
  readonly reportedDigest: string;
  readonly goldenError: number;
  readonly verifiedTimeMs: number;
}

/** A model's served version. This is what is desired; the target is brought to it again and again. */
export interface Serving extends Proof {
  readonly model: string;
  readonly version: string;
  readonly manifest: ObjectPlace;
  /** W3C trace context of the run that made it; absent when that was not traced. */
  readonly traceparent?: string;
  /** Versions that served before, newest last; bounded. */
  readonly previous: readonly string[];
  /** Versions that rollbacks left, newest last; bounded. Naming one undoes its rollback. */
  readonly left: readonly string[];
}

export type Step = "copying" | "loading" | "verifying" | "routing";

/** A version on its way. */
export interface Rollout {
  /** Derived from the request: a repeat of it finds this rollout, or how it ended. */
  readonly rollout: string;
  readonly kind: "publish" | "rollback";
  readonly model: string;
  readonly version: string;
  readonly manifest: ObjectPlace;
  /** As in `Serving`. */
  readonly traceparent?: string;
  readonly reason: string;
  readonly step: Step;
}

/** How a rollout ended; without an error, it serves. */
export interface Ended {
  readonly rollout: string;
  /** Version that served before it. */
  readonly from: string;
  readonly error?: { readonly code: ErrorCode; readonly reason: string; readonly message: string };
}

/** One aggregate: rollouts of a fleet come one after the other. */
export interface Fleet {
  readonly fleet: string;
  readonly servings: readonly Serving[];
  readonly rollout: Rollout | null;
  /** The last rollouts, oldest first; bounded. */
  readonly ended: readonly Ended[];
}

const endedMax = 32;

export function newFleet(fleet: string): Fleet {
  return { fleet, servings: [], rollout: null, ended: [] };
}

export function servingOf(fleet: Fleet, model: string): Serving | undefined {
  return fleet.servings.find((serving) => serving.model === model);
}

export function endOf(fleet: Fleet, rollout: string): Ended | undefined {
  return fleet.ended.find((ended) => ended.rollout === rollout);
}

/** The fleet with a version on its way. Whoever calls has seen the one before to its end. */
export function begun(fleet: Fleet, rollout: Omit<Rollout, "step">): Fleet {
  return { ...fleet, rollout: { ...rollout, step: "copying" } };
}

/** The same fleet when that rollout has ended. */
export function atStep(fleet: Fleet, rollout: string, step: Step): Fleet {
  if (fleet.rollout?.rollout !== rollout || fleet.rollout.step === step) return fleet;
  return { ...fleet, rollout: { ...fleet.rollout, step } };
}

/**
 * The fleet after its rollout succeeded. A publication puts what served before on the list of
 * earlier versions; a rollback goes back in that list, so that the next one goes back further, and
 * remembers what it left, so that it can be undone by name.
 */
export function succeeded(
  fleet: Fleet,
  rollout: Rollout,
  proof: Proof,
  previousMax: number,
): Fleet {
  const { model, version, manifest, traceparent } = rollout;
  const before = servingOf(fleet, model);
  const earlier = before?.previous ?? [];
  const all = [...earlier, before?.version ?? ""].filter((name) => name !== "");
  const place = rollout.kind === "rollback" ? earlier.lastIndexOf(version) : -1;
  const others = (names: readonly string[]) => names.filter((name) => name !== version);
  const previous = place === -1 ? others(all) : earlier.slice(0, place);
  const left = others([...(before?.left ?? []), ...(place === -1 ? [] : all.slice(place))]);
  const serving: Serving = {
    ...{ ...proof, model, version, manifest },
    ...(traceparent !== undefined && { traceparent }),
    previous: previous.slice(-previousMax),
    left: left.slice(-previousMax),
  };
  return {
    ...fleet,
    servings: [...fleet.servings.filter((one) => one.model !== model), serving],
    rollout: null,
    ended: withEnd(fleet, { rollout: rollout.rollout, from: before?.version ?? "" }),
  };
}

/** The fleet after its rollout failed: what served before serves. */
export function failed(fleet: Fleet, rollout: Rollout, error: HeddleError): Fleet {
  const { code, reason, message } = error;
  const from = servingOf(fleet, rollout.model)?.version ?? "";
  const end = { rollout: rollout.rollout, from, error: { code, reason, message } };
  return { ...fleet, rollout: null, ended: withEnd(fleet, end) };
}

function withEnd(fleet: Fleet, end: Ended): readonly Ended[] {
  return [...fleet.ended, end].slice(-endedMax);
}

/**
 * The version that a rollback returns to.
 *
 * @param version asked for; empty for the one that served before.
 * @throws {HeddleError} FAILED_PRECONDITION NOTHING_TO_ROLL_BACK, NOT_FOUND UNKNOWN_VERSION.
 */
export function rollbackTarget(fleet: Fleet, model: string, version: string): string {
  const serving = servingOf(fleet, model);
  const known = [...(serving?.left ?? []), ...(serving?.previous ?? [])];
  const target =
    version === "" ? serving?.previous.at(-1) : known.findLast((name) => name.startsWith(version));
  if (target !== undefined) return target;
  if (serving === undefined || version === "") {
    const why = serving === undefined ? "nothing of it serves" : "nothing served before";
    throw new HeddleError(
      "FAILED_PRECONDITION",
      "NOTHING_TO_ROLL_BACK",
      `model ${model} on fleet ${fleet.fleet} cannot go back: ${why}; publish another version instead`,
      { metadata: { fleet: fleet.fleet, model } },
    );
  }
  throw new HeddleError(
    "NOT_FOUND",
    "UNKNOWN_VERSION",
    `version ${shortName(version)} of ${model} did not serve on fleet ${fleet.fleet} before; those that did: ${known.map(shortName).join(", ")}`,
    { metadata: { version, model } },
  );
}
