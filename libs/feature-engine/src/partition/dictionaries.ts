import { isUtf8 } from "node:buffer";
import type { PackedTexts } from "@heddle/transform";

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];
const unicodeEscape = 0x75;
/** What stands behind a backslash, and what it means. */
const escapes = new Map(
  Object.entries({
    '"': '"',
    "\\": "\\",
    "/": "/",
    b: "\b",
    f: "\f",
    n: "\n",
    r: "\r",
    t: "\t",
  }).map(([escape, meant]) => [escape.charCodeAt(0), meant.charCodeAt(0)]),
);
/** U+FFFD, which UTF-8 has for half of a pair. */
const replacement = 0xfffd;
const decoder = new TextDecoder();

/**
 * Reads a partition's dictionaries: a JSON object of arrays of texts. Texts stay bytes, for most of them are hashed and nothing else.
 *
 * @param json is overwritten: texts are moved together in its memory, where they stay.
 * @throws {SyntaxError} when it is anything else.
 */
export function parseDictionaries(json: Uint8Array): Readonly<Record<string, PackedTexts>> {
  if (!isUtf8(json)) throw new SyntaxError("the dictionaries are no UTF-8");
  const scan = openScan(json);
  const words: [string, PackedTexts][] = [];
  scan.list(openBrace, closeBrace, () => {
    const start = scan.written;
    scan.text();
    const name = decoder.decode(json.subarray(start, scan.written));
    scan.expect(colon);
    words.push([name, readTexts(json, scan)]);
  });
  scan.end();
  return Object.fromEntries(words);
}

function readTexts(json: Uint8Array, scan: Scan): PackedTexts {
  const start = scan.written;
  const ends: number[] = [];
  scan.list(openBracket, closeBracket, () => {
    scan.text();
    ends.push(scan.written - start);
  });
  const utf8 = json.subarray(start, scan.written);
  return { length: ends.length, utf8, ends: Uint32Array.from(ends) };
}

/** Goes through JSON and moves its texts together at its beginning. Each call throws a SyntaxError where something else stands. */
interface Scan {
  expect(byte: number): void;
  /** Elements with commas between them, or none. */
  list(open: number, close: number, element: () => void): void;
  text(): void;
  end(): void;
  /** Where the texts so far end; never ahead of what is read. */
  readonly written: number;
}

function openScan(json: Uint8Array): Scan {
  let at = 0;
  let out = 0;
  const skipSpace = (): void => {
    while (isSpace(json[at])) at += 1;
  };
  /** Whether the next byte is there; then it is read. */
  const take = (byte: number): boolean => {
    skipSpace();
    if (json[at] !== byte) return false;
    at += 1;
    return true;
  };
  const expect = (byte: number): void => {
    if (!take(byte)) throw unexpected(json, at);
  };
  const escaped = (): void => {
    const byte = json[at] ?? 0;
    at += 1;
    const meant = byte === unicodeEscape ? characterAt(json, at) : escapes.get(byte);
    if (meant === undefined) throw unexpected(json, at - 1);
    if (byte === unicodeEscape) at += meant > 0xffff ? 10 : 4;
    out = writeUtf8(json, out, meant);
  };
  return {
    expect,
    list: (open, close, element) => {
      expect(open);
      if (take(close)) return;
      do element();
      while (take(comma));
      expect(close);
    },
    text: () => {
      expect(quote);
      for (;;) {
        [at, out] = movePlain(json, at, out);
        const byte = json[at];
        at += 1;
        if (byte === quote) return;
        if (byte !== backslash) throw unexpected(json, at - 1);
        escaped();
      }
    },
    end: () => {
      skipSpace();
      if (at < json.length) throw unexpected(json, at);
    },
    get written() {
      return out;
    },
  };
}

const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** Moves bytes that stand for themselves. @returns where it stopped reading, and writing. */
function movePlain(json: Uint8Array, from: number, to: number): [number, number] {
  for (; from < json.length; from++) {
    const byte = json[from] as number;
    if (byte === quote || byte === backslash || byte < 0x20) break;
    json[to++] = byte;
  }
  return [from, to];
}

/** Behind `\u`: a character of one escape, or of two. */
function characterAt(json: Uint8Array, at: number): number {
  const first = hex(json, at);
  if (first < 0xd800 || first > 0xdfff) return first;
  const isPair = first < 0xdc00 && json[at + 4] === backslash && json[at + 5] === unicodeEscape;
  const second = isPair ? hex(json, at + 6) : 0;
  if (second < 0xdc00 || second > 0xdfff) return replacement;
  return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

/** The number of four hexadecimal digits. */
function hex(json: Uint8Array, at: number): number {
  const digits = String.fromCharCode(...json.subarray(at, at + 4));
  if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw unexpected(json, at);
  return Number.parseInt(digits, 16);
}

/** @returns where it ends; it is never longer than the escape that it stands for. */
function writeUtf8(json: Uint8Array, at: number, character: number): number {
  const rest = (shift: number): number => 0x80 | ((character >> shift) & 0x3f);
  if (character < 0x80) json[at++] = character;
  else if (character < 0x800) {
    json[at++] = 0xc0 | (character >> 6);
    json[at++] = rest(0);
  } else if (character < 0x10000) {
    json[at++] = 0xe0 | (character >> 12);
    json[at++] = rest(6);
    json[at++] = rest(0);
  } else {
    json[at++] = 0xf0 | (character >> 18);
    json[at++] = rest(12);
    json[at++] = rest(6);
    json[at++] = rest(0);
  }
  return at;
}

function unexpected(json: Uint8Array, at: number): SyntaxError {
  const what = at < json.length ? `byte ${json[at]}` : "the end";
  return new SyntaxError(`the dictionaries have ${what} at ${at}, where JSON has something else`);
}
