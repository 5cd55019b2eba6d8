import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { systemClock } from "@heddle/base";
import { jobsContract } from "./contract.ts";
import { openProcessJobs } from "./process-jobs.ts";

const logFolder = mkdtempSync(join(tmpdir(), "heddle-jobs-"));
after(() => rmSync(logFolder, { recursive: true }));

jobsContract("process", async () =>
  openProcessJobs({
    programs: { job: fileURLToPath(new URL("./fixtures/job.ts", import.meta.url)) },
    node: process.execPath,
    logFolder,
    environment: {},
    clock: systemClock,
  }),
);
