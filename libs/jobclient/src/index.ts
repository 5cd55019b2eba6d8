export { type JobClient, type JobInput, openJobClient } from "./job-client.ts";
