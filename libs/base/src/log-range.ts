/** Records of one partition of a topic of an event log, from offset `from` to before `to`. */
export interface LogRange {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/** The same as the contracts between services have it. */
export interface LogRangeMessage {
  readonly topic: string;
  readonly partition: number;
  readonly fromOffset: bigint;
  readonly toOffset: bigint;
}

/** As a contract has it. */
export const writeLogRange = ({ topic, partition, from, to }: LogRange): LogRangeMessage => ({
  ...{ topic, partition },
  ...{ fromOffset: BigInt(from), toOffset: BigInt(to) },
});

/** Out of a contract; offsets are exact up to 2^53. */
export const readLogRange = (message: LogRangeMessage): LogRange => ({
  ...{ topic: message.topic, partition: message.partition },
  ...{ from: Number(message.fromOffset), to: Number(message.toOffset) },
});
