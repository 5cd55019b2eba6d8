import { type ErrorCode, HeddleError, isHeddleError } from "@heddle/base";

/** An error on its way to another thread: a copied object would lose its class, and with it the reason. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Of a `HeddleError`. */
  readonly heddle?: {
    readonly code: ErrorCode;
    readonly reason: string;
    readonly metadata: Readonly<Record<string, string>>;
  };
}

export function failureOf(thrown: unknown): Failure {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { name, message, stack } = error;
  if (!isHeddleError(error)) return { name, message, stack };
  const { code, reason, metadata } = error;
  return { name, message, stack, heddle: { code, reason, metadata } };
}

/** The error as it was thrown there, with its name, reason and stack. */
export function errorOf({ name, message, stack, heddle }: Failure): Error {
  const error =
    heddle === undefined
      ? Object.assign(new Error(message), { name })
      : new HeddleError(heddle.code, heddle.reason, message, { metadata: heddle.metadata });
  if (stack !== undefined) error.stack = stack;
  return error;
}
