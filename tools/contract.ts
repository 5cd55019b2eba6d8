// `npm run contract`: records proto/ as the contract that later changes are compared with, proto/baseline.binpb.
// It refuses a change that breaks what older clients, stored bytes or their JSON rely on; `-- --break` is for one
// that is meant. `--check` changes nothing and says whether proto/ breaks the baseline or is not recorded in it.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

/** What in a folder of contracts breaks the image `baseline.binpb` in it; empty when nothing does. */
export function breaksOf(proto: string): string {
  const baseline = join(proto, "baseline.binpb");
  if (!existsSync(baseline)) return `${baseline} is not there: run "npm run contract -- --break"`;
  // Paths in the report begin at the folder.
  const { status, stdout, stderr } = buf(proto, "breaking", "--against", "baseline.binpb");
  return status === 0 ? "" : `${stdout}${stderr}`.trim() || `buf ended with ${status}`;
}

/** The contracts as a descriptor image: the same bytes for the same contracts, comments aside. */
export function imageOf(proto: string): Buffer {
  const { status, stdout, stderr } = buf(
    proto,
    "build",
    "--exclude-source-info",
    "-o",
    "-#format=binpb",
  );
  if (status !== 0) throw new Error(`buf build failed: ${String(stderr)}`);
  return stdout;
}

function buf(cwd: string, ...args: readonly string[]) {
  return spawnSync(join(root, "node_modules/.bin/buf"), args, { cwd });
}

if (import.meta.main) {
  const proto = join(root, "proto");
  const baseline = join(proto, "baseline.binpb");
  const meant = process.argv.includes("--break");
  const breaks = meant ? "" : breaksOf(proto);
  if (breaks !== "") {
    console.error(
      `proto/ breaks the contract that landed last:\n${breaks}\nreserve and add instead of changing; if the break is meant, run "npm run contract -- --break"`,
    );
    process.exitCode = 1;
  } else if (!process.argv.includes("--check")) {
    writeFileSync(baseline, imageOf(proto));
  } else if (!imageOf(proto).equals(readFileSync(baseline))) {
    console.error('proto/ has what proto/baseline.binpb has not: run "npm run contract"');
    process.exitCode = 1;
  }
}
