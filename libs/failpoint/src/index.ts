/**
 * Named places where a test kills the process, as a power cut would: no handler runs, nothing is
 * flushed. `HEDDLE_FAILPOINT=learner.snapshot.after-manifest` kills at the first visit,
 * `…@3` at the third. `…@3 SIGSTOP` stops it there instead, as a machine that hangs or is cut off: it knows
 * nothing of it, and goes on when somebody sends SIGCONT. Without the variable a visit costs one comparison.
 */
const [armed, visit, signal] = parse(process.env["HEDDLE_FAILPOINT"]);
let visits = 0;

function parse(setting = ""): readonly [string | undefined, number, NodeJS.Signals] {
  const [place = "", sent = "SIGKILL"] = setting.split(" ");
  const [name, count = 1] = place.split("@");
  return [name === "" ? undefined : name, Number(count), sent as NodeJS.Signals];
}

/** Dies here when armed. Names are `<service>.<operation>.<before|after>-<step>`. */
export function failpoint(name: string): void {
  if (name !== armed) return;
  visits += 1;
  if (visits === visit) process.kill(process.pid, signal);
}
