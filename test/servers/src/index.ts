export { buildAll, builds } from "./builds.ts";
export { built, type Recipe } from "./cache.ts";
export {
  notesVariable,
  serverForTests,
  type ServerChoice,
  type ServerNote,
  type TestServer,
} from "./for-tests.ts";
export { grpcurlProgram } from "./grpcurl.ts";
export { kafkaForTests, type RunningKafka, startKafka } from "./kafka.ts";
export { mongoForTests, type MongoServerOptions, startMongo } from "./mongo.ts";
export {
  type RunningServer,
  type ServerCommand,
  type ServerStart,
  startServer,
} from "./running.ts";
export { freePort } from "./ports.ts";
export { pythonForTests, type TestPython } from "./python.ts";
export { newBucket, type TestBucket } from "./s3-bucket.ts";
export { s3ForTests, type S3Options, startS3, testCredentials } from "./s3.ts";
export { runTool, type ToolOptions } from "./tool.ts";
export { Unavailable } from "./unavailable.ts";
