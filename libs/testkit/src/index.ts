export { countCalls } from "./count-calls.ts";
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
export { casesVariable, sample } from "./sample.ts";
export { closeTogether, startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";
export { type TemporaryFolder, temporaryFolder } from "./temporary.ts";
export { turnsDuring } from "./turns.ts";
