import { readLayers } from "@heddle/artifact";
import { failpoint } from "@heddle/failpoint";
import type { Objects } from "@heddle/objects";
import type { RestoreRequest, SnapshotLayer } from "@heddle/proto/parameter-server";
import type { Keeper } from "../run/keeper.ts";
import { snapshotGivenUp, stepOrder } from "../run/refusals.ts";

/**
 * Returns the shard to a cut, whose files it reads beside what it holds.
 *
 * @param giveUpCut of the cut that is under way.
 */
export function restoreHandler(objects: Objects, keeper: Keeper, giveUpCut: () => void) {
  let calls = 0;
  const sourcesOf = ({ objects: files }: Pick<SnapshotLayer, "objects">) =>
    files.map(({ name, sha256 }) => ({ name, chunks: objects.stream(name, sha256) }));

  return async (request: RestoreRequest) => {
    const { fence, objects: files, increments, lossSum } = request;
    const step = Number(request.step);
    const { shard } = keeper.run(fence);
    giveUpCut();
    const call = (calls += 1);
    const layers = files.length === 0 ? [] : [{ objects: files }, ...increments];
    const restoring = shard.startRestore();
    await readLayers(layers.map(sourcesOf), restoring);
    failpoint("parameter-server.restore.after-read");
    // Reading took a while: a newer attempt may have taken over, or the call may have come again.
    const { course, returnTo } = keeper.run(fence);
    if (call !== calls) throw snapshotGivenUp(step, "the shard was told again to return to a cut");
    course.refuseAll(stepOrder("a push from before a return", step));
    if (files.length === 0) shard.reset();
    else restoring.finish(step);
    returnTo(step, lossSum);
    keeper.open();
    failpoint("parameter-server.restore.after-finish");
    return { rows: BigInt(shard.rows) };
  };
}
