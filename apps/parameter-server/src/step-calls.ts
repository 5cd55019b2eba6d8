import { failpoint } from "@heddle/failpoint";
import type { PullRequest, PushRequest } from "@heddle/proto/parameter-server";
import type { CallContext } from "@heddle/rpc";
import { bytesOf } from "@heddle/tensor";
import type { CallTurn, Course } from "./course/course.ts";
import type { Keeper } from "./run/keeper.ts";
import type { KeyLists } from "./rows/key-lists.ts";
import { pulledRows, pushedPart } from "./rows/step-rows.ts";

/** Pull and Push: by gRPC and by lane the same. */
export function stepCalls(keeper: Keeper, keyLists: KeyLists) {
  const pull = async (request: PullRequest, { signal, room }: CallContext) => {
    const { fence, dense, microBatch, life } = request;
    const step = Number(request.step);
    const what = `pull for step ${step}`;
    await keeper.run(fence).pace(signal);
    const ask = (course: Course): CallTurn => course.pullTurn(step);
    const { run } = await keeper.turn({ fence, what, microBatch, life, ask }, signal);
    const answer = {
      rows: pulledRows(request, run.shard, keyLists, room),
      dense: dense ? bytesOf(run.shard.pullDense(room)) : new Uint8Array(),
      step: BigInt(run.course.applied),
    };
    run.course.served(step, microBatch);
    return answer;
  };

  const push = async (request: PushRequest, { signal, room }: CallContext) => {
    const { fence, cut, microBatch, life: stateLife } = request;
    const place = { step: Number(request.step), cut, state: Number(request.oldestState) };
    const what = `push of step ${place.step}`;
    const ask = (course: Course): CallTurn => course.pushTurn(place);
    const { run, turn } = await keeper.turn({ fence, what, microBatch, stateLife, ask }, signal);
    if (turn === "now") await run.course.take(place, pushedPart(request, keyLists, room), signal);
    failpoint("parameter-server.push.after-apply");
    return { step: BigInt(run.course.applied) };
  };
  return { pull, push };
}
