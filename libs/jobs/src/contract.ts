import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import type { Jobs, JobSpec } from "./port.ts";

/**
 * What every jobs backend promises.
 *
 * @param open opens jobs whose program `job` is `fixtures/job.ts`.
 */
export function jobsContract(
  name: string,
  open: () => Promise<Jobs>,
  options: { readonly skip?: string | false } = {},
): void {
  const check = (claim: string, body: (jobs: Jobs) => Promise<void>): void => {
    test(`${name}: ${claim}`, { skip: options.skip ?? false, timeout: 60_000 }, async () => {
      await using jobs = await open();
      await body(jobs);
    });
  };

  check("a job that ends well has succeeded, and its id is free again", async (jobs) => {
    const job = await jobs.start(spec("a", "succeed"));
    assert.equal(job.id, "a");
    assert.deepEqual(await job.exited, { kind: "succeeded" });
    assert.deepEqual(jobs.running(), []);
    assert.deepEqual(await (await jobs.start(spec("a", "succeed"))).exited, { kind: "succeeded" });
  });

  check("a job says why it failed and whether a retry may help", async (jobs) => {
    const exits = await Promise.all(
      ["fail", "fail-for-now", "break"].map(
        async (act) => (await jobs.start(spec(act, act))).exited,
      ),
    );
    assert.deepEqual(exits.slice(0, 2), [
      {
        kind: "failed",
        reason: "NO_ROWS",
        message: "the dataset is empty: widen its window",
        retryable: false,
      },
      {
        kind: "failed",
        reason: "SHARD_AWAY",
        message: "the shard does not answer",
        retryable: true,
      },
    ]);
    assert.ok(exits[2]?.kind === "failed" && !exits[2].retryable && exits[2].reason === "INTERNAL");
    assert.match(exits[2].message, /a bug/);
  });

  check("a job that is killed, or leaves without a word, is lost", async (jobs) => {
    for (const act of ["vanish", "leave"]) {
      const { exited } = await jobs.start(spec(act, act));
      assert.equal((await exited).kind, "lost");
    }
  });

  check("a job above its memory limit is lost", async (jobs) => {
    const job = await jobs.start({ ...spec("a", "fill"), memoryBytesMax: 64 << 20 });
    assert.equal((await job.exited).kind, "lost");
  });

  check("a running id is refused, also while it starts", async (jobs) => {
    const exists = { code: "ALREADY_EXISTS", reason: "JOB_EXISTS" };
    const both = [jobs.start(spec("a", "wait")), jobs.start(spec("a", "wait"))] as const;
    const job = await both[0];
    await assert.rejects(both[1], exists);
    await assert.rejects(jobs.start(spec("a", "wait")), exists);
    assert.deepEqual(jobs.running(), ["a"]);
    await job.stop(0);
  });

  check("a job that is asked to stop may end its work, and is to be retried", async (jobs) => {
    await using door = await openDoor();
    const job = await jobs.start(spec("a", "wait", door.port));
    await door.guest;
    await job.stop(30_000);
    const exit = await job.exited;
    assert.ok(exit.kind === "failed" && exit.retryable && exit.reason === "JOB_STOPPED");
    await job.stop(0);
  });

  check("a job that does not stop is killed after the grace", async (jobs) => {
    await using door = await openDoor();
    const job = await jobs.start(spec("a", "ignore", door.port));
    await door.guest;
    await job.stop(100);
    assert.equal((await job.exited).kind, "lost");
  });

  check("closing stops what runs, and nothing starts afterwards", async (jobs) => {
    const job = await jobs.start(spec("a", "wait"));
    await jobs[Symbol.asyncDispose]();
    await job.exited;
    assert.deepEqual(jobs.running(), []);
    await assert.rejects(jobs.start(spec("b", "succeed")), { reason: "JOBS_CLOSED" });
  });

  check("what is about to start when it closes does not run", async (jobs) => {
    const late = jobs.start(spec("a", "wait"));
    await Promise.all([
      jobs[Symbol.asyncDispose](),
      assert.rejects(late, { reason: "JOBS_CLOSED" }),
    ]);
    assert.deepEqual(jobs.running(), []);
  });

  check("an unknown program and too large an input are refused", async (jobs) => {
    const unknown = jobs.start({ ...spec("a", "succeed"), program: "none" });
    await assert.rejects(unknown, { code: "INVALID_ARGUMENT", reason: "PROGRAM_UNKNOWN" });
    const large = { act: "succeed", filler: "x".repeat(200_000) };
    const refused = jobs.start({ ...spec("a", "succeed"), input: large });
    await assert.rejects(refused, { code: "INVALID_ARGUMENT", reason: "JOB_INPUT_TOO_LARGE" });
    assert.deepEqual(jobs.running(), []);
  });
}

export function spec(id: string, act: string, port?: number): JobSpec {
  const input = port === undefined ? { act } : { act, port };
  return { id, program: "job", input, environment: {} };
}

/** A port where a job says that it is up; its connection ends when the job does. */
export async function openDoor(): Promise<
  { readonly port: number; readonly guest: Promise<Socket> } & AsyncDisposable
> {
  const server: Server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const guest = once(server, "connection").then(async ([socket]: Socket[]) => {
    assert.ok(socket);
    socket.on("error", () => undefined);
    await once(socket, "data");
    return socket;
  });
  return {
    port: (server.address() as AddressInfo).port,
    guest,
    [Symbol.asyncDispose]: async () => {
      (await guest).destroy();
      server.close();
      await once(server, "close");
    },
  };
}
