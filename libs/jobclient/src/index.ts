export { type Gang, type JobClient, type JobInput, openJobClient } from "./job-client.ts";
