export { built, type Recipe } from "./cache.ts";
export {
  notesVariable,
  serverForTests,
  type ServerChoice,
  type ServerNote,
  type TestServer,
} from "./for-tests.ts";
export { kafkaVersion, type RunningKafka, startKafka } from "./kafka.ts";
export {
  type RunningServer,
  type ServerCommand,
  type ServerStart,
  startServer,
} from "./running.ts";
export { runTool, type ToolOptions } from "./tool.ts";
export { Unavailable } from "./unavailable.ts";
