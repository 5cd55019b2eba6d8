import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import xxhash from "xxhash-wasm";
import { type Dictionary, textAt, textsOf } from "./dictionary.ts";
import { dictionaryIds } from "./hash.ts";

const { h64 } = await xxhash();
/** Any UTF-16, halves of pairs too, and of every length that the hash treats in its own way. */
const unit = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("\ud800", "\udfff", "\0", "\ufeff"),
);
const word = fc.oneof(
  unit,
  fc.string({ maxLength: 80 }),
  fc.array(unit).map((units) => units.join("")),
);

const packed = (words: readonly string[]): Dictionary => {
  const texts = words.map((text) => new TextEncoder().encode(text));
  let end = 0;
  const ends = Uint32Array.from(texts, ({ length }) => (end += length));
  return { length: texts.length, utf8: Buffer.concat(texts), ends };
};

test("a text has the id that its UTF-8 has by another library, packed or not", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), fc.array(word), (input, words) => {
      const ids = [...words.map((text) => h64(`${input}\0${text}`)), h64(`${input}\u0001`)];
      assert.deepEqual([...dictionaryIds(input, packed(words))], ids);
      assert.deepEqual([...dictionaryIds(input, words)], ids);
    }),
  );
});

test("texts come back as they were packed", () => {
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const wellFormed = words.map((text) => text.toWellFormed());
      const dictionary = packed(words);
      assert.deepEqual(textsOf(dictionary), wellFormed);
      const codes = [-1, ...words.keys(), words.length];
      assert.deepEqual(
        codes.map((code) => textAt(dictionary, code)),
        codes.map((code) => wellFormed[code]),
      );
    }),
  );
});

test("pieces of a large dictionary, and a text larger than a piece, change no id", () => {
  const long = ["x".repeat(200_000), "", "é".repeat(50_000)];
  const words = [...Array.from({ length: 30_000 }, (_, n) => `word ${n}`), ...long, "last"];
  const ids = dictionaryIds("input", packed(words));
  assert.deepEqual([...ids], [...dictionaryIds("input", words)]);
});
