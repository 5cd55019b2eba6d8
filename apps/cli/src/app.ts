import { buildApplication, buildRouteMap, help, text_en, version } from "@stricli/core";
import { HeddleError, messageOf } from "@heddle/base";
import { apply } from "./commands/apply.ts";
import { batchAudit } from "./commands/batch-audit.ts";
import { demo } from "./commands/demo.ts";
import { doctor } from "./commands/doctor.ts";
import { follow } from "./commands/follow.ts";
import { host } from "./commands/host.ts";
import { ingest } from "./commands/ingest.ts";
import { init } from "./commands/init.ts";
import { lineage } from "./commands/lineage.ts";
import { live } from "./commands/live.ts";
import { origin } from "./commands/origin.ts";
import { predict } from "./commands/predict.ts";
import { report } from "./commands/report.ts";
import { rollback } from "./commands/rollback.ts";
import { runs } from "./commands/runs.ts";
import { speedAudit } from "./commands/speed-audit.ts";
import { stream } from "./commands/stream.ts";
import { trace } from "./commands/trace.ts";
import { train } from "./commands/train.ts";
import { versions } from "./commands/versions.ts";
import type { Context } from "./context.ts";
import { exitCodeOf } from "./exit-codes.ts";
import { systemError } from "./system-error.ts";

const routes = buildRouteMap<string, Context>({
  routes: {
    demo,
    init,
    host,
    apply,
    ingest,
    train,
    stream,
    follow,
    runs,
    versions,
    live,
    lineage,
    origin,
    predict,
    rollback,
    trace,
    report,
    speedAudit,
    batchAudit,
    doctor,
  },
  docs: {
    brief:
      "From events to features, from features to models, and only good models into served ones",
    fullDescription: [
      "Heddle turns a company's events into features, features into models, and only good models",
      "into served ones; and can say afterwards what happened and why.",
      "",
      "Start with:  heddle demo grocer    three minutes of a retailer's year",
      "             heddle init shop --from visits.csv --label bought    your table",
    ].join("\n"),
  },
});

const currentVersion = "0.1.0";

/** The `heddle` command: data on stdout, talk on stderr, exit codes as `exit-codes.ts` lists them. */
export const application = buildApplication<Context>(
  routes,
  {
    name: "heddle",
    scanner: { caseStyle: "allow-kebab-for-camel" },
    documentation: { disableAnsiColor: true },
    determineExitCode: exitCodeOf,
    localization: {
      loadText: () => ({
        ...text_en,
        exceptionWhileRunningCommand: describe,
        commandErrorResult: describe,
      }),
    },
  },
  {
    help: help({
      brief: "Say what a command does and which flags it takes",
      alias: "h",
      defaultForRouteMap: true,
      formatting: {
        useAliasInUsageLine: false,
        onlyRequiredInUsageLine: true,
        caseStyle: "convert-camel-to-kebab",
      },
    }),
    version: version({ brief: "Print the version", info: { currentVersion }, alias: "v" }),
  },
);

/** An expected failure is one sentence that says what, where and what to do; a bug shows its stack. */
function describe(error: unknown): string {
  const expected = error instanceof HeddleError ? error : systemError(error);
  if (expected !== undefined) return `heddle: ${expected.message} [${expected.reason}]`;
  return error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
}
