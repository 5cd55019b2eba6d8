import type { Secret } from "@heddle/config";
import type { KafkaAddress } from "./address.ts";

/** Who we are at the brokers. */
export interface KafkaUser {
  readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
  readonly name: string;
  /** Asked at each connection, and whenever the brokers want to know again who we are: it may have been renewed. */
  readonly password: () => Secret;
}

const connectTimeoutMs = 3_000;
/** A request whose broker hangs is given up after it, and tried again by whoever sent it. */
const requestTimeoutMs = 10_000;
const retryDelayMs = 200;

/** What all clients of one log have in common. Each names its own number of tries: most are tried again by us, who know what for. */
export function clientOptions(
  { brokers, tls }: KafkaAddress,
  user: KafkaUser | undefined,
  retries: number,
) {
  return {
    clientId: "heddle",
    bootstrapBrokers: [...brokers],
    connectTimeout: connectTimeoutMs,
    requestTimeout: requestTimeoutMs,
    timeout: requestTimeoutMs,
    retries,
    retryDelay: retryDelayMs,
    autocreateTopics: false,
    strict: true,
    ...(tls ? { tls: {} } : {}),
    ...(user === undefined
      ? {}
      : {
          sasl: {
            mechanism: user.mechanism,
            username: user.name,
            password: () => user.password().reveal(),
          },
        }),
  };
}
export type ClientOptions = ReturnType<typeof clientOptions>;
