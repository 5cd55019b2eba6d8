export { type Attempt, type AttemptOptions, makeAttempt } from "./attempt.ts";
export { type Gang, type JobClient, type JobInput, openJobClient } from "./job-client.ts";
export { jobFields } from "./job-fields.ts";
