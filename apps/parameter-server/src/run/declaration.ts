import { HeddleError, sha256 } from "@heddle/base";
import type { Optimizer, TableSpec } from "@heddle/kernels";
import { allFinite, float32Of } from "@heddle/tensor";
import {
  type ConfigureRequest,
  ConfigureRequestSchema,
  type Table,
  ValueStorage,
} from "@heddle/proto/parameter-server";
import { toBinary } from "@bufbuild/protobuf";
import { denseOptimizer, rowOptimizer } from "./optimizer.ts";

/** What a run keeps on one shard. */
export interface Declaration {
  /** This shard's number, from 0. */
  readonly shard: number;
  readonly shards: number;
  readonly tables: readonly TableDeclaration[];
  /** Dense parameters that the learner gave to this shard. */
  readonly dense: readonly DenseDeclaration[];
}

interface TableDeclaration extends Omit<TableSpec, "rowsMax"> {
  readonly name: string;
}

interface DenseDeclaration {
  readonly name: string;
  readonly initial: Float32Array;
  readonly optimizer: Optimizer;
}

/** A learner may have pulls of one step and pushes of another under way, and a lane carries 64 calls. */
const microBatchesMax = 24;

/** A table takes as many instances of WebAssembly as its rows may need, and a row of this size takes 16 KiB. */
const dimensionMax = 4_096;

/** The histogram of staleness has an entry for each. */
const stalenessMax = 10_000;
const inFlightMax = 48;

/** Counts are float32, which is exact to 2²⁴. */
const admissionCountMax = 1_000_000;

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
  return {
    shard,
    shards,
    tables: tables.map(tableOf),
    dense: dense.map((parameter) => {
      const { name } = parameter;
      const optimizer = denseOptimizer(parameter, (why) =>
        invalid(`dense parameter ${name} ${why}`),
      );
      // A view would keep the whole request in memory.
      const initial = Float32Array.from(float32Of(parameter.initial));
      if (!allFinite(initial)) throw invalid(`dense parameter ${name} starts from NaN or infinity`);
      return { name, initial, optimizer };
    }),
  };
}

function checkBounds({ bounds, microBatches }: ConfigureRequest): void {
  if (bounds === undefined) return;
  const { inFlight, snapshotSteps, pushesPerSecond, staleness } = bounds;
  if (microBatches > 1) throw invalid("in bounded mode a step has no micro-batches");
  if (inFlight === 0) throw invalid("no update may be in flight; at least 1 must");
  if (inFlight > inFlightMax) throw invalid(`${inFlight} in flight are above ${inFlightMax}`);
  if (snapshotSteps === 0) throw invalid("there are 0 updates between cuts; at least 1 must be");
  if (!(pushesPerSecond >= 0)) throw invalid(`${pushesPerSecond} pushes a second are no number`);
  if (staleness > stalenessMax) throw invalid(`staleness is ${staleness}, above ${stalenessMax}`);
}

function tableOf(table: Table): TableDeclaration {
  const { name, dimension, initialDeviation, seed, versions } = table;
  if (dimension === 0) throw invalid(`table ${name} has rows of 0 values`);
  if (dimension > dimensionMax) {
    throw invalid(`table ${name} has rows of ${dimension} values; at most ${dimensionMax} are`);
  }
  if (!(initialDeviation >= 0 && initialDeviation < Infinity)) {
    throw invalid(
      `table ${name} has initial deviation ${initialDeviation}, which is not at least 0`,
    );
  }
  const optimizer = rowOptimizer(table, (why) => invalid(`table ${name} ${why}`));
  const storage = table.storage === ValueStorage.BFLOAT16 ? "bfloat16" : "float32";
  const { expirySteps: steps } = table;
  if (steps > 0 && !versions) throw invalid(`table ${name} has an expiry, which needs versions`);
  return {
    ...{ name, dimension, optimizer, initialDeviation, seed, versions, storage },
    ...admissionOf(table),
    ...(steps > 0 && { expiry: { steps } }),
  };
}

function admissionOf({
  name,
  admissionProbability: probability,
  admissionCount: count,
}: Table): Pick<TableDeclaration, "admission"> {
  if (!(probability >= 0 && probability <= 1)) {
    throw invalid(`table ${name} admits rows with probability ${probability}, not from 0 to 1`);
  }
  if (probability > 0 && count > 0) {
    throw invalid(`table ${name} admits rows by probability and by count; it can do one of them`);
  }
  if (count > admissionCountMax) {
    throw invalid(`table ${name} admits rows at push ${count}; at most ${admissionCountMax} is`);
  }
  if (count > 0) return { admission: { count } };
  return probability === 0 ? {} : { admission: { probability } };
}

function invalid(why: string): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "DECLARATION_INVALID",
    `the run cannot be configured: ${why}; correct the model definition`,
  );
}
