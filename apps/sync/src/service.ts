import type { MessageInitShape } from "@bufbuild/protobuf";
import { HeddleError, type InTurn } from "@heddle/base";
import { type FleetSchema, type ServingSchema, SyncService } from "@heddle/proto/sync";
import { implement, type Implementation } from "@heddle/rpc";
import { changeContextOf, type Known } from "@heddle/store";
import type { Fleet, Serving } from "./fleet.ts";
import { rollBack, rollOut, type RolloutDeps } from "./rollouts.ts";

/** The RPCs of sync. Changes of the fleet take turns with its loop. */
export function syncService(deps: RolloutDeps, inTurn: InTurn): Implementation {
  const { store, target } = deps;
  const encoded = async (fleet: string) => encode(await store.get(fleet));
  return implement(SyncService, {
    publish: async (request, call) => {
      checkFleet(request.fleet, deps.fleet);
      const context = changeContextOf(request, call);
      const { version, reason } = request;
      await inTurn(() => rollOut({ kind: "publish", version, reason, context }, deps));
      return { fleet: await encoded(request.fleet) };
    },
    rollback: async (request, call) => {
      checkFleet(request.fleet, deps.fleet);
      const context = changeContextOf(request, call);
      const { model, version, reason } = request;
      const asked = { kind: "rollback" as const, version, reason, context };
      const fromVersion = await inTurn(() => rollBack(model, asked, deps));
      return { fleet: await encoded(request.fleet), fromVersion };
    },
    getFleet: async ({ fleet }) => ({ fleet: await encoded(fleet) }),
    verify: async ({ fleet }) => {
      checkFleet(fleet, deps.fleet);
      return inTurn(async () => {
        const { state } = await store.get(fleet);
        const held = await target.loaded();
        const servings = [];
        for (const serving of state.servings) {
          const proof = await target.prove(serving, serving.expectedDigest);
          const found = held.find(({ version }) => version === serving.version);
          if (found?.routed !== true) throw notRouted(serving);
          servings.push(writeServing({ ...serving, ...proof }));
        }
        return { servings };
      });
    },
  });
}

function encode({ state, revision }: Known<Fleet>): MessageInitShape<typeof FleetSchema> {
  const { fleet, servings, rollout } = state;
  const message = { fleet, servings: servings.map(writeServing), revision: BigInt(revision) };
  if (rollout === null) return message;
  const { rollout: id, model, version, step } = rollout;
  return { ...message, rollout: { rollout: id, model, version, step } };
}

function writeServing(serving: Serving): MessageInitShape<typeof ServingSchema> {
  const { model, version, expectedDigest, reportedDigest, goldenError } = serving;
  return {
    model,
    version,
    expectedDigest,
    reportedDigest,
    goldenError,
    verifiedTimeMs: BigInt(serving.verifiedTimeMs),
    previous: [...serving.previous],
  };
}

function checkFleet(asked: string, fleet: string): void {
  if (asked === fleet) return;
  const message = `there is no fleet "${asked}"; this service drives "${fleet}"`;
  throw new HeddleError("NOT_FOUND", "UNKNOWN_FLEET", message, { metadata: { fleet: asked } });
}

function notRouted({ model, version }: Serving): HeddleError {
  return new HeddleError(
    "DATA_LOSS",
    "DIGEST_MISMATCH",
    `version ${version.slice(0, 12)} should answer for ${model}, but traffic goes elsewhere; sync puts it right at its next look`,
    { metadata: { model, version } },
  );
}
