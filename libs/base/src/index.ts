export { assert, AssertionFailed, present } from "./assert.ts";
export { type Backoff, backoffMs, defaultBackoff } from "./backoff.ts";
export { type Clock, systemClock } from "./clock.ts";
export {
  type ErrorCode,
  type ErrorOptions,
  HeddleError,
  isHeddleError,
  messageOf,
} from "./error.ts";
export { contentName, sha256, shortName } from "./hash.ts";
export { insist, type InsistDeps } from "./insist.ts";
export { canonicalJson, type Json } from "./json.ts";
export { type LogRange, readLogRange, writeLogRange } from "./log-range.ts";
export { orAborted } from "./or-aborted.ts";
export { hash32, mix32, type Random, seededRandom } from "./random.ts";
export { openScratch } from "./scratch.ts";
export { slicesInTurns } from "./slices.ts";
export { stopAsked } from "./stop-asked.ts";
export { type InTurn, type InTurnByKey, startTurns, startTurnsByKey } from "./turns.ts";
export { utcMs } from "./utc.ts";
export { within } from "./within.ts";
