import { type Clock, HeddleError, isHeddleError, messageOf, shortName } from "@heddle/base";
import { failpoint } from "@heddle/failpoint";
import { type RegistryService, Stage, type Version } from "@heddle/proto/registry";
import type { Client } from "@heddle/rpc";
import { type ChangeContext, idFromRequest } from "@heddle/store";
import type { Telemetry } from "@heddle/telemetry";
import type { Limits } from "./config.ts";
import {
  begun,
  endOf,
  failed,
  type Fleet,
  type Proof,
  type Rollout,
  rollbackTarget,
  servingOf,
  succeeded,
} from "./fleet.ts";
import type { FleetStore } from "./store.ts";
import { isPassing, type Target } from "./target.ts";

export interface RolloutDeps {
  readonly fleet: string;
  readonly store: FleetStore;
  readonly target: Target;
  readonly registry: Client<typeof RegistryService>;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly telemetry: Telemetry;
}

/** What a caller asks for. */
export interface Asked {
  readonly kind: Rollout["kind"];
  readonly version: string;
  readonly reason: string;
  readonly context: ChangeContext;
}

/**
 * Brings a version to the fleet and answers when it ended. The steps are kept in the fleet's
 * aggregate and each may be repeated, so whoever comes after a crash (the same request, another
 * one, or the loop) goes on: it proves again what a crash may have undone. Callers take turns.
 *
 * @returns the version that served before.
 * @throws {HeddleError} see Publish. One that passes (TARGET_UNAVAILABLE) leaves the rollout to go
 * on later; any other ends it, and what served before serves.
 */
export async function rollOut(asked: Asked, deps: RolloutDeps): Promise<string> {
  const { store, fleet, registry, limits } = deps;
  const rollout = idFromRequest("rollout", fleet, asked.context.requestId);
  const known = (await store.open(fleet, asked.context)).state;
  const earlier = endOf(known, rollout);
  if (earlier !== undefined) return answerOf(earlier);
  await finishOpen(known, rollout, deps);

  const { version } = await registry.getVersion(
    { version: asked.version },
    { timeoutMs: limits.callTimeoutMs },
  );
  if (version?.manifest === undefined) throw unknownVersion(asked.version);
  await checkMayServe(version, deps);
  const { name, bytes, sha256 } = version.manifest;
  const next = {
    rollout,
    kind: asked.kind,
    model: version.model,
    version: version.version,
    manifest: { name, bytes: Number(bytes), sha256 },
    ...(version.traceparent !== "" && { traceparent: version.traceparent }),
    reason: asked.reason,
  };
  await store.begin(fleet, next, asked.context, begun);
  return resume(deps);
}

/** A rollback is a rollout of a version that served before. */
export async function rollBack(model: string, asked: Asked, deps: RolloutDeps): Promise<string> {
  const { state } = await deps.store.get(deps.fleet);
  const done = endOf(state, idFromRequest("rollout", deps.fleet, asked.context.requestId));
  if (done !== undefined) return answerOf(done);
  return rollOut({ ...asked, version: rollbackTarget(state, model, asked.version) }, deps);
}

/** Another rollout that a crash left open goes first; how it ends is its own affair. */
async function finishOpen(fleet: Fleet, rollout: string, deps: RolloutDeps): Promise<void> {
  if (fleet.rollout === null || fleet.rollout.rollout === rollout) return;
  try {
    await resume(deps);
  } catch (error) {
    if (isPassing(error)) throw error;
  }
}

/** Drives the fleet's rollout to its end. @returns the version that served before. */
export async function resume(deps: RolloutDeps): Promise<string> {
  const { store, fleet, telemetry, limits } = deps;
  const { rollout } = (await store.get(fleet)).state;
  if (rollout === null) return "";
  const { model, version, kind } = rollout;
  const facts = { fleet, model, version, kind, rollout: rollout.rollout };
  const attributes = { "heddle.fleet": fleet, "heddle.model": model, "heddle.version": version };
  try {
    const proof = await telemetry.span("sync.rollout", { attributes }, () => drive(rollout, deps));
    const event = kind === "rollback" ? "rolled-back" : "serving";
    const after = await store.change(fleet, rollout, "end", event, (state) =>
      succeeded(state, rollout, proof, limits.previousMax),
    );
    telemetry.log.info(facts, "version serves");
    await unloadUnneeded(after.state, deps);
    return endOf(after.state, rollout.rollout)?.from ?? "";
  } catch (error) {
    if (isPassing(error) || !isHeddleError(error)) throw error;
    const after = await store.change(
      fleet,
      rollout,
      "end",
      "failed",
      (state) => failed(state, rollout, error),
      error.message,
    );
    telemetry.log.warn({ ...facts, error: error.message }, "version was not published");
    await restore(rollout, after.state, deps);
    throw error;
  }
}

async function drive(rollout: Rollout, deps: RolloutDeps): Promise<Proof> {
  const { store, fleet, target, registry, limits } = deps;
  const { model, version, reason } = rollout;
  const expectedDigest = await target.copyable(rollout);
  failpoint("sync.publish.after-copy");
  await store.step(fleet, rollout, "loading");
  await target.load(rollout);
  failpoint("sync.publish.after-load");
  await store.step(fleet, rollout, "verifying");
  const proof = await target.prove(rollout, expectedDigest);
  failpoint("sync.publish.after-verify");
  await store.step(fleet, rollout, "routing", "verified");
  await target.route(model, version);
  failpoint("sync.publish.after-route");
  await registry.setStage(
    { requestId: `${rollout.rollout}/live`, version, stage: Stage.LIVE, reason },
    { timeoutMs: limits.callTimeoutMs },
  );
  failpoint("sync.publish.after-stage");
  return proof;
}

/** Whatever a failed rollout left on the target, traffic goes where it went before. */
async function restore(rollout: Rollout, fleet: Fleet, deps: RolloutDeps): Promise<void> {
  const { target, telemetry } = deps;
  const serving = servingOf(fleet, rollout.model);
  try {
    const held = (await target.loaded()).filter(({ model }) => model === rollout.model);
    const routed = held.find((version) => version.routed)?.version ?? "";
    if (routed !== (serving?.version ?? "")) {
      await target.route(rollout.model, serving?.version ?? "");
    }
    await unloadUnneeded(fleet, deps);
  } catch (error) {
    // The loop does it again: what the fleet desires is written down.
    telemetry.log.warn({ error: messageOf(error) }, "traffic could not be restored yet");
  }
}

/** Keeps what serves, and per model the version before it, so that going back is quick. */
async function unloadUnneeded(fleet: Fleet, { target, telemetry }: RolloutDeps): Promise<void> {
  const needed = new Set(
    fleet.servings.flatMap(({ version, previous }) => [version, previous.at(-1) ?? ""]),
  );
  try {
    for (const { version, routed } of await target.loaded()) {
      if (!routed && !needed.has(version)) await target.unload(version);
    }
  } catch (error) {
    telemetry.log.warn({ error: messageOf(error) }, "a version could not be unloaded");
  }
}

/** @throws {HeddleError} FAILED_PRECONDITION VERSION_NOT_PASSED. */
async function checkMayServe(version: Version, { registry, limits }: RolloutDeps): Promise<void> {
  if (version.verdict === "pass") return;
  const call = { timeoutMs: limits.callTimeoutMs };
  const { history } = await registry.whatWasLive({ model: version.model }, call);
  if (history.some((change) => change.version === version.version)) return;
  const found = version.verdict === "" ? "it was not judged" : `its verdict is ${version.verdict}`;
  throw new HeddleError(
    "FAILED_PRECONDITION",
    "VERSION_NOT_PASSED",
    `version ${shortName(version.version)} of ${version.model} may not serve: ${[found, ...version.failedChecks].join("; ")}`,
    { metadata: { version: version.version, verdict: version.verdict } },
  );
}

function answerOf({ from, error }: NonNullable<ReturnType<typeof endOf>>): string {
  if (error === undefined) return from;
  throw new HeddleError(error.code, error.reason, error.message);
}

function unknownVersion(version: string): HeddleError {
  const message = `the registry knows no version ${version}: give its name or its first digits`;
  return new HeddleError("NOT_FOUND", "UNKNOWN_VERSION", message, { metadata: { version } });
}
