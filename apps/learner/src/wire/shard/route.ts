import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  ParameterServerService,
  type PullRequestSchema,
  type PullResponse,
  type PushRequestSchema,
} from "@heddle/proto/parameter-server";
import type { CallOptions, Client, LocalCallOptions } from "@heddle/rpc";

/** A shard, however its calls reach it. */
export type Shard = Client<typeof ParameterServerService>;

/** What carries a step's calls. */
export interface StepShard {
  /**
   * @param call its room is where an answer lies that nothing carries.
   * @param read takes what it wants of the answer, whose bytes may be gone after that, but for those in the room.
   */
  pull(
    request: MessageInitShape<typeof PullRequestSchema>,
    call: LocalCallOptions,
    read: (answer: PullResponse) => void,
  ): Promise<void>;
  /** @returns the number of the shard's state. */
  push(request: MessageInitShape<typeof PushRequestSchema>, call: CallOptions): Promise<bigint>;
}

/** Both ways to a shard. */
export interface ShardClients {
  /** Number of the shard. */
  readonly shard: number;
  /** Each call leaves a span, or none does. */
  readonly traced: Shard;
  readonly quiet: Shard;
}

/** How the calls of a shard's steps travel. */
export interface Route extends AsyncDisposable {
  at(step: number): StepShard;
}
