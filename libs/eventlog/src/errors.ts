import { HeddleError, isHeddleError } from "@heddle/base";
import { type Position, readLimitMax, recordBytesMax } from "./port.ts";

/** A full store is, to the log's caller, a full log. */
export function logError(error: unknown, topic: string): unknown {
  if (!isHeddleError(error, "STORE_FULL")) return error;
  return new HeddleError(
    "RESOURCE_EXHAUSTED",
    "LOG_FULL",
    `topic ${topic} has no room: free space on its disk or raise mapBytesMax, then retry; nothing was appended`,
    { cause: error },
  );
}

export function recordTooLarge(topic: string, key: string, bytes: number): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "RECORD_TOO_LARGE",
    `the record of ${key} for topic ${topic} has ${bytes} bytes; a record has at most ${recordBytesMax}`,
  );
}

/** @param position what the partition holds instead. */
export function offsetGone(
  topic: string,
  partition: number,
  offset: number,
  { start, end }: Position,
): HeddleError {
  const place = `offset ${offset} of topic ${topic}, partition ${partition},`;
  return new HeddleError(
    "OUT_OF_RANGE",
    "OFFSET_GONE",
    offset > end
      ? `${place} is not in the log, which ends at ${end}: it lost records, or the topic was made anew; restore the log, or begin anew at ${start}`
      : `${place} is no longer in the log, which begins at ${start}: go on from ${start} and get the ${start - offset} records before it elsewhere, or restore the log`,
    {
      metadata: {
        ...{ topic, partition: String(partition) },
        ...{ offset: String(offset), start: String(start) },
      },
    },
  );
}

export function topicInvalid(topic: string): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "TOPIC_INVALID",
    `${JSON.stringify(topic.slice(0, 100))} is no topic or group: it has 1 to 200 of a–z, A–Z, 0–9 and . _ -`,
  );
}

/** @throws {HeddleError} INVALID_ARGUMENT LIMIT_INVALID. */
export function checkLimit(limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= readLimitMax) return;
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "LIMIT_INVALID",
    `a read takes 1 to ${readLimitMax} records, not ${limit}`,
  );
}
