import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { openBoundedGang } from "../fixtures/bounded-gang.ts";

const gang = fc.record({
  staleness: fc.nat({ max: 4 }),
  inFlight: fc.integer({ min: 1, max: 6 }),
  lostMax: fc.integer({ min: 1, max: 9 }),
  learners: fc.integer({ min: 1, max: 3 }),
  shards: fc.integer({ min: 1, max: 3 }),
  updates: fc.integer({ min: 1, max: 20 }),
});

test("whichever shards are lost, and when: no bound is passed, no more than one interval is lost, and nobody waits for ever", () => {
  fc.assert(
    fc.property(
      gang.filter(({ inFlight, learners }) => learners <= inFlight),
      fc.nat({ max: 4 }),
      fc.infiniteStream(fc.nat()),
      (numbers, losses, choices) => {
        const opened = openBoundedGang(numbers);
        let left = losses;
        // Losses come seldom, or little else would happen.
        for (let turn = 0; !opened.done; turn++) {
          const acts = opened.acts(false);
          const all = left > 0 ? opened.acts(true) : acts;
          assert.notEqual(all.length, 0, `stuck: ${opened.where}`);
          assert.ok(turn < 20_000, `no end: ${opened.where}`);
          const choice = choices.next().value as number;
          const chosen = acts.length === 0 || choice % 13 === 0 ? all : acts;
          const act = chosen[choice % chosen.length];
          if (act !== undefined && chosen === all && choice % all.length >= acts.length) left -= 1;
          act?.();
          opened.check();
        }
        opened.checkEnd();
      },
    ),
    { numRuns: 300 },
  );
});
