import { type InTurn, isHeddleError, messageOf } from "@heddle/base";
import { type LoadedVersion } from "@heddle/proto/model-server";
import { unkeptTraceparent } from "@heddle/telemetry";
import type { Fleet, Serving } from "./fleet.ts";
import { resume, type RolloutDeps } from "./rollouts.ts";
import { isPassing } from "./target.ts";

/**
 * Brings the target to what the fleet desires: finishes a rollout that was left open, loads, proves
 * and routes again what a restarted server forgot or what changed in its memory, and takes traffic
 * from what nobody desires. Nothing heard from the target is not health: it throws.
 *
 * @throws {HeddleError} TARGET_UNAVAILABLE, and what a load or proof refuses, after all models had their turn.
 */
async function reconcile(deps: RolloutDeps): Promise<void> {
  const known = await deps.store.find(deps.fleet);
  if (known === undefined) return;
  if (known.state.rollout !== null) await finish(deps);
  const { state } = await deps.store.get(deps.fleet);
  const held = await look(deps);
  const failures: unknown[] = [];
  for (const serving of state.servings) {
    if (serves(serving, held)) continue;
    try {
      await serveAgain(serving, deps);
    } catch (error) {
      failures.push(error);
      if (!isPassing(error)) await toFallback(serving, held, deps);
    }
  }
  await stopStrays(state, held, deps);
  if (failures.length > 0) throw failures[0];
}

/** Every few seconds, and mostly all is as it was: traces of it would be most of what an idle host writes. */
function look({ target, telemetry, limits }: RolloutDeps): Promise<readonly LoadedVersion[]> {
  return telemetry.span("sync.look", { parent: unkeptTraceparent() }, () =>
    target.loaded(limits.digestAgeMaxMs),
  );
}

/** A rollout that fails has said so; the fleet has what it had. */
async function finish(deps: RolloutDeps): Promise<void> {
  try {
    await resume(deps);
  } catch (error) {
    if (!isHeddleError(error) || isPassing(error)) throw error;
  }
}

function serves(serving: Serving, held: readonly LoadedVersion[]): boolean {
  const found = held.find(({ version }) => version === serving.version);
  return found?.routed === true && found.memoryDigest === serving.expectedDigest;
}

async function serveAgain(serving: Serving, deps: RolloutDeps): Promise<void> {
  const { target, telemetry, fleet } = deps;
  const { model, version, expectedDigest } = serving;
  await target.load(serving);
  await target.prove(serving, expectedDigest);
  await target.route(model, version);
  telemetry.log.info({ fleet, model, version }, "version was loaded again");
}

/** What cannot be proved does not answer, even if it did until now. */
async function toFallback(
  { model, version }: Serving,
  held: readonly LoadedVersion[],
  { target, telemetry, fleet }: RolloutDeps,
): Promise<void> {
  if (!held.some((one) => one.model === model && one.routed)) return;
  await target.route(model, "");
  telemetry.log.error({ fleet, model, version }, "version cannot be proved, the fallback answers");
}

/** Traffic of a model that the fleet does not serve goes to the fallback. */
async function stopStrays(
  { servings }: Fleet,
  held: readonly LoadedVersion[],
  { target }: RolloutDeps,
): Promise<void> {
  for (const { model, routed } of held) {
    if (routed && !servings.some((serving) => serving.model === model)) {
      await target.route(model, "");
    }
  }
}

/** Reconciles at once and then from time to time, until the signal aborts. */
export async function keepReconciled(
  deps: RolloutDeps,
  inTurn: InTurn,
  signal: AbortSignal,
): Promise<void> {
  const { clock, telemetry, limits, fleet } = deps;
  let last = "";
  while (!signal.aborted) {
    let problem = "";
    try {
      await inTurn(() => reconcile(deps));
    } catch (error) {
      problem = messageOf(error);
    }
    // Said when it changes, not at every look.
    if (problem !== "" && problem !== last) {
      telemetry.log.warn({ fleet, error: problem }, "fleet is not as desired, trying again");
    }
    if (problem === "" && last !== "") telemetry.log.info({ fleet }, "fleet is as desired again");
    last = problem;
    try {
      await clock.sleep(limits.reconcileMs, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
