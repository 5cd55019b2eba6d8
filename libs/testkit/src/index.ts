export {
  type Finished,
  heddle,
  heddleJson,
  type HeddleOptions,
  type RunningHeddle,
  startHeddle,
  startHost,
} from "./heddle.ts";
export { type TemporaryFolder, temporaryFolder } from "./temporary.ts";
