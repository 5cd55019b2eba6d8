import { backoffMs, defaultBackoff, HeddleError, isHeddleError, messageOf } from "@heddle/base";
import type { DriverDeps } from "./driven-run.ts";
import { type Driver, startDriver } from "./driver.ts";

/** A driver that may start late: its store is elsewhere, and may be away when the scheduler starts. */
export interface LateDriver extends AsyncDisposable {
  readonly driver: Promise<Driver>;
}

/**
 * Starts the driver, or goes on trying while the store is away. No run is driven before those that an earlier scheduler
 * left were taken over.
 *
 * @throws what is no passing failure of the store.
 */
export async function startLateDriver(deps: DriverDeps): Promise<LateDriver> {
  const closing = new AbortController();
  const started = Promise.withResolvers<Driver>();
  started.promise.catch(() => undefined);
  const start = async (): Promise<boolean> => {
    try {
      started.resolve(await startDriver(deps));
      return true;
    } catch (error) {
      if (!isPassing(error)) throw error;
      deps.telemetry.log.warn(
        { error: messageOf(error) },
        "runs could not be taken over, trying again",
      );
      return false;
    }
  };
  const goOn = async (): Promise<void> => {
    for (let tries = 1; !closing.signal.aborted; tries++) {
      const waitMs = backoffMs(defaultBackoff, tries, deps.random());
      await deps.clock.sleep(waitMs, closing.signal).catch(() => undefined);
      if (closing.signal.aborted || (await start())) return;
    }
  };
  const trying = (await start()) ? Promise.resolve() : goOn().catch(started.reject);
  return {
    driver: started.promise,
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await trying;
      started.reject(
        new HeddleError(
          "UNAVAILABLE",
          "SCHEDULER_CLOSING",
          "the scheduler stops; ask its successor",
        ),
      );
      await started.promise.then(
        (driver) => driver[Symbol.asyncDispose](),
        () => undefined,
      );
    },
  };
}

/** Another store, or the same one later, would answer. */
function isPassing(error: unknown): boolean {
  return isHeddleError(error) && error.code === "UNAVAILABLE";
}
