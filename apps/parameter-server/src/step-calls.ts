import type { PullRequest, PushRequest } from "@heddle/proto/parameter-server";
import type { CallContext } from "@heddle/rpc";
import { bigUint64Of, bytesOf, float32Of } from "@heddle/tensor";
import type { CallTurn, Course } from "./course.ts";
import type { Keeper } from "./keeper.ts";
import type { StepPart } from "./step-part.ts";

/** Pull and Push: by gRPC and by lane the same. */
export function stepCalls(keeper: Keeper) {
  const pull = async (
    { fence, step: wanted, tables, dense, microBatch }: PullRequest,
    { signal, room }: CallContext,
  ) => {
    const step = Number(wanted);
    const what = `pull for step ${step}`;
    await keeper.run(fence).pace(signal);
    const ask = (course: Course): CallTurn => course.pullTurn(step);
    const { run } = await keeper.turn({ fence, what, microBatch, ask }, signal);
    const answer = {
      rows: tables.map(({ table, ids }) => bytesOf(run.shard.pull(table, bigUint64Of(ids), room))),
      dense: dense ? bytesOf(run.shard.pullDense(room)) : new Uint8Array(),
      step: BigInt(run.course.applied),
    };
    run.course.served(step, microBatch);
    return answer;
  };

  const push = async (request: PushRequest, { signal }: CallContext) => {
    const { fence, cut, microBatch } = request;
    const place = { step: Number(request.step), cut, state: Number(request.oldestState) };
    const what = `push of step ${place.step}`;
    const ask = (course: Course): CallTurn => course.pushTurn(place);
    const { run, turn } = await keeper.turn({ fence, what, microBatch, ask }, signal);
    if (turn === "now") await run.course.take(place, partOf(request), signal);
    return { step: BigInt(run.course.applied) };
  };
  return { pull, push };
}

const partOf = ({ microBatch, tables, dense, ...told }: PushRequest): StepPart => ({
  microBatch,
  tables: tables.map(gradientsOf),
  dense: float32Of(dense),
  lossSum: told.lossSum,
  learnerCpuSeconds: told.learnerCpuSeconds,
});

const gradientsOf = ({ table, ids, gradients }: PushRequest["tables"][number]) => ({
  table,
  ids: bigUint64Of(ids),
  gradients: float32Of(gradients),
});
