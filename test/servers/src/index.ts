export { built, type Recipe } from "./cache.ts";
export {
  notesVariable,
  serverForTests,
  type ServerChoice,
  type ServerNote,
  type TestServer,
} from "./for-tests.ts";
export { kafkaVersion, type RunningKafka, startKafka } from "./kafka.ts";
