/** Less than the 30 s that Kubernetes waits before it kills. */
const graceMsDefault = 25_000;

/**
 * Resolves when a process is asked to stop, by SIGTERM or SIGINT. Call it first: what is asked while the process still opens is not lost.
 * It then has `graceMs` to close what it opened. When they are over, or at a second signal, it is killed: losing it at any moment must be
 * harmless, and `process.exit` would wait for a store's write under way, and that write for this thread.
 *
 * @param host this process, which only a main file may reach for.
 */
export function stopAsked(host: NodeJS.Process, graceMs = graceMsDefault): Promise<void> {
  const die = (): void => {
    host.kill(host.pid, "SIGKILL");
  };
  return new Promise((resolve) => {
    let asked = false;
    const stop = (): void => {
      if (asked) die();
      asked = true;
      setTimeout(die, graceMs).unref();
      resolve();
    };
    host.on("SIGTERM", stop);
    host.on("SIGINT", stop);
  });
}
