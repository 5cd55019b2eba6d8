import assert from "node:assert/strict";
import { test } from "node:test";
import { textsOf } from "@heddle/transform";
import fc from "fast-check";
import { parseDictionaries } from "./dictionaries.ts";

const unit = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("\ud800", '"', "\\", "\u2028"),
);
const word = fc.array(unit, { maxLength: 4 }).map((units) => units.join(""));
/** V8 14.6 takes an escaped quote for a backslash in the names of an object, so JSON.parse proves nothing of names with these. */
const provesNothing = (name: string): boolean => /["\\]/.test(name);
const name = word.filter((text) => !provesNothing(text));
const dictionaries = fc.dictionary(name, fc.array(word, { maxLength: 5 }), { maxKeys: 4 });

/** Each character as an escape of its code units, as other writers have it. */
const escaped = (json: string): string =>
  json.replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

const read = (json: string): Record<string, readonly string[]> =>
  Object.fromEntries(
    Object.entries(parseDictionaries(Buffer.from(json))).map(([name, of]) => [name, textsOf(of)]),
  );
/** As UTF-8 has it. */
const wellFormed = (of: Record<string, string[]>): Record<string, string[]> =>
  Object.fromEntries(
    Object.entries(of).map(([name, words]) => [
      name.toWellFormed(),
      words.map((text) => text.toWellFormed()),
    ]),
  );

test("texts are those that JSON has, however it is written", () => {
  fc.assert(
    fc.property(dictionaries, (words) => {
      const expected = wellFormed(words);
      assert.deepEqual(read(JSON.stringify(words)), expected);
      assert.deepEqual(read(JSON.stringify(words, null, " \n\t\r")), expected);
      assert.deepEqual(read(escaped(JSON.stringify(words))), expected);
    }),
  );
});

test("what is damaged is refused, or is other JSON", () => {
  const place = fc.record({
    at: fc.nat(),
    byte: fc.constantFrom(...Buffer.from('"\\{}[],:u0 a\n')),
  });
  fc.assert(
    fc.property(dictionaries, fc.array(place, { minLength: 1, maxLength: 3 }), (words, places) => {
      const json = Buffer.from(JSON.stringify(words));
      for (const { at, byte } of places) json[at % json.length] = byte;
      const text = json.toString();
      let found: Record<string, readonly string[]>;
      try {
        found = read(text);
      } catch (error) {
        assert.ok(error instanceof SyntaxError);
        return;
      }
      if (Object.keys(found).some(provesNothing)) return;
      assert.deepEqual(found, wellFormed(JSON.parse(text) as Record<string, string[]>));
    }),
    { numRuns: 1_000 },
  );
});

test("what is no UTF-8, ends early or goes on is refused", () => {
  for (const json of [
    "",
    "{",
    '{"a":',
    '{"a":["',
    '{"a":["b"]',
    '{"a":["b"]}x',
    '{"a":[1]}',
    "[]",
  ]) {
    assert.throws(() => read(json), SyntaxError, json);
  }
  const invalid = Buffer.concat([Buffer.from('{"a":["'), Buffer.of(0xff), Buffer.from('"]}')]);
  assert.throws(() => parseDictionaries(invalid), SyntaxError);
});
