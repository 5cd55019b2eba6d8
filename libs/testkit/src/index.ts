export {
  type Finished,
  heddle,
  heddleJson,
  type HeddleOptions,
  type RunningHeddle,
  startHeddle,
  startHost,
} from "./heddle.ts";
export { jobEnvironment } from "./job-environment.ts";
export { type TemporaryFolder, temporaryFolder } from "./temporary.ts";
