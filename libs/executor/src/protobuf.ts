/** The few protobuf encodings that a file of a graph needs: a message is the concatenation of its fields. */

const text = new TextEncoder();

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A whole number, negative ones as 64-bit two's complement. */
export function intField(field: number, value: number): Uint8Array {
  return concatBytes([varint(field * 8), varint(value)]);
}

export function floatField(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return concatBytes([varint(field * 8 + 5), bytes]);
}

export function stringField(field: number, value: string): Uint8Array {
  return bytesField(field, text.encode(value));
}

export function bytesField(field: number, value: Uint8Array): Uint8Array {
  return concatBytes([varint(field * 8 + 2), varint(value.length), value]);
}

export function messageField(field: number, parts: readonly Uint8Array[]): Uint8Array {
  return bytesField(field, concatBytes(parts));
}

function varint(value: number): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
