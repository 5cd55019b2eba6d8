export { buildAll, builds } from "./builds.ts";
export { built, type Recipe } from "./cache.ts";
export { composeForTests } from "./compose.ts";
export {
  notesVariable,
  serverForTests,
  type ServerChoice,
  type ServerNote,
  type TestServer,
  type TestTool,
} from "./for-tests.ts";
export { grpcurlForTests } from "./grpcurl.ts";
export { jaegerForTests, type RunningJaeger, startJaeger, type TestJaeger } from "./jaeger.ts";
export { kafkaForTests, type RunningKafka, startKafka } from "./kafka.ts";
export { mongoForTests, type MongoServerOptions, startMongo } from "./mongo.ts";
export {
  type RunningServer,
  type ServerCommand,
  type ServerStart,
  startServer,
} from "./running.ts";
export { freePort } from "./ports.ts";
export { prometheusForTests, startPrometheus } from "./prometheus.ts";
export { pythonForTests } from "./python.ts";
export { newBucket, type TestBucket } from "./s3-bucket.ts";
export { type RunningS3, s3ForTests, type S3Options, startS3, testCredentials } from "./s3.ts";
export { runTool, type ToolOptions } from "./tool.ts";
export { Unavailable } from "./unavailable.ts";
