/** Why a step cannot become a graph. It never reaches the caller: its message is the fallback's reason. */
export class NotRecordable extends Error {
  override readonly name = "NotRecordable";
}

/** Gives up on recording, saying why in words that a model developer can act on. */
export function refuse(reason: string): never {
  throw new NotRecordable(reason);
}
