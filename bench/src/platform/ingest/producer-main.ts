// One client that appends events, in a process of its own; started by processes.ts and told what to do by its messages.
import { eventOf, evenKeys, type IngestLoad, sendEvents } from "./load.ts";
import { openProducer } from "./producer.ts";

/** Told by the parent. */
export interface ProducerTold {
  /** Events a second, 0 for none; as fast as it can when absent. */
  readonly rate?: number;
  /** Events that may be appended before a limit is raised: the parent knows how far the store is. */
  readonly upTo: number;
}

const load = JSON.parse(process.argv[2] ?? "{}") as IngestLoad;
const keys = evenKeys(load.partitions);
// Made beforehand, again and again the same texts but for their numbers: making them is no part of the load.
const texts = Array.from({ length: 2_000 }, (_, n) => eventOf(n).slice(eventOf(n).indexOf(",")));
const jsonOf = (id: number): string => {
  const head = `{"id":${id}`;
  return (head + (texts[id % texts.length] ?? "")).slice(0, 1_024);
};

let told: ProducerTold = { upTo: 0, rate: 0 };
let changed = Promise.withResolvers<void>();
let since = { at: performance.now(), sent: 0 };
let sent = 0;
process.on("message", (message: ProducerTold) => {
  if (message.rate !== told.rate) since = { at: performance.now(), sent };
  told = message;
  changed.resolve();
});
let ended = false;
process.once("disconnect", () => {
  ended = true;
  changed.resolve();
});

await using producer = await openProducer(load);
process.send?.({ ready: true });
while (!ended) {
  const { rate = Number.POSITIVE_INFINITY, upTo } = told;
  const due = since.sent + (rate * (performance.now() - since.at)) / 1_000;
  if (sent + sendEvents > upTo || sent + sendEvents > due) {
    changed = Promise.withResolvers();
    const waitMs = sent + sendEvents > upTo ? 1_000 : 5;
    await Promise.race([changed.promise, new Promise((done) => setTimeout(done, waitMs))]);
    continue;
  }
  const events = Array.from({ length: sendEvents }, (_, n) => ({
    key: keys[(sent + n) % keys.length] ?? "",
    json: jsonOf(sent + n),
  }));
  await producer.append(events);
  sent += sendEvents;
  process.send?.({ sent });
}
