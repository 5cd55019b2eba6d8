/**
 * Named places where a test kills the process, as a power cut would: no handler runs, nothing is
 * flushed. `HEDDLE_FAILPOINT=learner.snapshot.after-manifest` kills at the first visit,
 * `…@3` at the third. Without the variable a visit costs one comparison.
 */
const [armed, visit] = parse(process.env["HEDDLE_FAILPOINT"]);
let visits = 0;

function parse(setting: string | undefined): [string | undefined, number] {
  if (setting === undefined || setting === "") return [undefined, 0];
  const [name, count] = setting.split("@");
  return [name, count === undefined ? 1 : Number(count)];
}

/** Dies here when armed. Names are `<service>.<operation>.<before|after>-<step>`. */
export function failpoint(name: string): void {
  if (name !== armed) return;
  visits += 1;
  if (visits === visit) process.kill(process.pid, "SIGKILL");
}
