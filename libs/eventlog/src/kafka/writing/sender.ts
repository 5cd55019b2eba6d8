import { Producer } from "@platformatic/kafka";
import type { ClientOptions } from "../client.ts";
import { hasApiId, isUnauthenticated } from "../errors.ts";
import type { Clock } from "@heddle/base";

export interface WriterDeps {
  readonly clock: Clock;
  /** For a broker to come back. Tries within it are one send for the broker, which knows them again; behind it nobody is sure. */
  readonly appendWithinMs: number;
}

/** A producer, and what it met while it tried: it would go on until its time is over, and then say nothing of it. */
export interface Sender {
  readonly producer: Producer<Buffer, Buffer | null>;
  /** Why the last try of the send under way failed, once. */
  takeProblem(): unknown;
  /** Rejects when the brokers refuse who we are. */
  readonly refused: Promise<never>;
}

export function openSender(options: ClientOptions): Sender {
  const refused = Promise.withResolvers<never>();
  refused.promise.catch(() => undefined);
  let problem: unknown;
  const retryDelay = (_: unknown, __: string, ___: number, ____: number, error: Error): number => {
    problem = error;
    if (isUnauthenticated(error)) refused.reject(error);
    // The client takes this one for no reason to ask who leads now, and would try whom it knows until the time is over.
    if (hasApiId(error, "NOT_LEADER_OR_FOLLOWER")) producer.clearMetadata();
    return options.retryDelay;
  };
  const producer = new Producer<Buffer, Buffer | null>({
    ...{ ...options, retryDelay },
    ...{ idempotent: true, compression: "zstd" },
  });
  return {
    producer,
    takeProblem: () => {
      const taken = problem;
      problem = undefined;
      return taken;
    },
    refused: refused.promise,
  };
}

/** @throws why the last try failed, once the time is over or the brokers refuse who we are. */
export async function sendWithin(
  { clock, appendWithinMs }: WriterDeps,
  { takeProblem, refused }: Sender,
  sent: Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const late = clock.sleep(appendWithinMs, over.signal).then(
    () => Promise.reject((takeProblem() as Error | undefined) ?? silence(appendWithinMs)),
    () => undefined,
  );
  try {
    await Promise.race([sent, late, refused]);
  } finally {
    over.abort();
    takeProblem();
    sent.catch(() => undefined);
  }
}

const silence = (ms: number): Error => new Error(`no answer within ${ms} ms`);
