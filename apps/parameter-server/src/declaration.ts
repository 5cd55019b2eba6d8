import { HeddleError, sha256 } from "@heddle/base";
import { allFinite, float32Of } from "@heddle/tensor";
import { type ConfigureRequest, ConfigureRequestSchema } from "@heddle/proto/parameter-server";
import { toBinary } from "@bufbuild/protobuf";
import type { Declaration } from "./shard.ts";

/** Each holds one push of a step in memory. */
export const microBatchesMax = 1_024;

/** The histogram of staleness has an entry for each. */
const stalenessMax = 10_000;

/** The names and sizes are this shard's for the rest of its life; a run is told from another by this digest, whoever calls. */
export function declarationDigest(request: ConfigureRequest): string {
  return sha256(toBinary(ConfigureRequestSchema, { ...request, fence: 0n, learner: 0 }));
}

/** @throws {HeddleError} INVALID_ARGUMENT DECLARATION_INVALID naming what is wrong. */
export function declarationOf(request: ConfigureRequest): Declaration {
  const { run, shard, shards, tables, dense, lag, microBatches } = request;
  if (run === "") throw invalid("the run has no name");
  if (shard >= shards) throw invalid(`shard ${shard} of ${shards} does not exist`);
  if (lag > 1) throw invalid(`lag is ${lag}; it is 0 or 1`);
  if (microBatches > microBatchesMax) {
    throw invalid(
      `a step has ${microBatches} micro-batches; at most ${microBatchesMax} are allowed`,
    );
  }
  checkBounds(request);
  const names = [...tables, ...dense].map(({ name }) => name);
  if (new Set(names).size < names.length) throw invalid("two parameters have the same name");
  for (const { name, dimension, rate, initialAccumulator } of tables) {
    if (dimension === 0) throw invalid(`table ${name} has rows of 0 values`);
    checkOptimizer(`table ${name}`, rate, initialAccumulator);
  }
  return {
    shard,
    shards,
    tables,
    dense: dense.map(({ name, initial, rate, initialAccumulator }) => {
      checkOptimizer(`dense parameter ${name}`, rate, initialAccumulator);
      // A view would keep the whole request in memory.
      const values = Float32Array.from(float32Of(initial));
      if (!allFinite(values)) throw invalid(`dense parameter ${name} starts from NaN or infinity`);
      return { name, initial: values, rate, initialAccumulator };
    }),
  };
}

function checkBounds({ bounds, microBatches }: ConfigureRequest): void {
  if (bounds === undefined) return;
  const { inFlight, snapshotSteps, pushesPerSecond, staleness } = bounds;
  if (microBatches > 1) throw invalid("in bounded mode a step has no micro-batches");
  if (inFlight === 0) throw invalid("no update may be in flight; at least 1 must");
  if (snapshotSteps === 0) throw invalid("there are 0 updates between cuts; at least 1 must be");
  if (!(pushesPerSecond >= 0)) throw invalid(`${pushesPerSecond} pushes a second are no number`);
  if (staleness > stalenessMax) throw invalid(`staleness is ${staleness}, above ${stalenessMax}`);
}

function checkOptimizer(what: string, rate: number, initialAccumulator: number): void {
  if (!(rate > 0) || !(initialAccumulator > 0)) {
    throw invalid(`${what} has rate ${rate} and accumulator ${initialAccumulator}, not above 0`);
  }
}

function invalid(why: string): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "DECLARATION_INVALID",
    `the run cannot be configured: ${why}; correct the model definition`,
  );
}
