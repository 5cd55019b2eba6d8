/** Composition root of a learner: started by the scheduler, makes its part of one attempt of one run. */
import { runJob } from "@heddle/jobs";
import { trainAsJob } from "./job.ts";

await runJob((given, stopped) => trainAsJob(given, stopped));
