import type { Pulled, Wire } from "./wire.ts";

/** Bytes between a learner and its shards. */
export interface Moved {
  /** Ids asked for, rows and dense parameters that came. */
  readonly pulled: number;
  /** Ids and gradients sent. */
  readonly pushed: number;
  /** Files of cuts. */
  readonly saved: number;
}

/** The wire, counting values as they are, without what carries them: so lane and gRPC count alike. */
export function countTraffic(wire: Wire): { readonly wire: Wire; moved(): Moved } {
  let [pulled, pushed, saved] = [0, 0, 0];
  return {
    moved: () => ({ pulled, pushed, saved }),
    wire: {
      ...wire,
      pull: async (step, ids, microBatch) => {
        const answer = await wire.pull(step, ids, microBatch);
        pulled += idBytes(ids, answer) + bytesOf(answer);
        return answer;
      },
      push: async (step, ids, gradients, cut, notes) => {
        await wire.push(step, ids, gradients, cut, notes);
        pushed += idBytes(ids, gradients) + bytesOf(gradients);
      },
      snapshot: async (step, objectPrefix) => {
        const layer = await wire.snapshot(step, objectPrefix);
        for (const { bytes } of layer.files) saved += bytes;
        return layer;
      },
    },
  };
}

/** Each table is asked with ids of its own. */
const idBytes = (ids: BigUint64Array, { rows }: Pulled): number =>
  ids.byteLength * Object.keys(rows).length;

const bytesOf = ({ rows, dense }: Pulled): number =>
  [...Object.values(rows), ...Object.values(dense)].reduce((sum, a) => sum + a.byteLength, 0);
