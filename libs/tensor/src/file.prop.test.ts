import { isHeddleError } from "@heddle/base";
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeTensors, encodeTensors, type Tensor, tensorOf, type Tensors } from "./file.ts";

const corrupt = (error: unknown): boolean => isHeddleError(error, "TENSOR_FILE_CORRUPT");

const tensor: fc.Arbitrary<Tensor> = fc.oneof(
  fc
    .float32Array({ maxLength: 20 })
    .map((data): Tensor => ({ dtype: "float32", shape: [data.length], data })),
  fc
    .int32Array({ maxLength: 20 })
    .map((data): Tensor => ({ dtype: "int32", shape: [1, data.length], data })),
  fc
    .bigUint64Array({ maxLength: 20 })
    .map((data): Tensor => ({ dtype: "uint64", shape: [data.length, 1], data })),
  fc
    .uint8Array({ maxLength: 20 })
    .map((data): Tensor => ({ dtype: "uint8", shape: [data.length], data })),
);
const files = fc.dictionary(fc.string({ maxLength: 5 }), tensor, {
  maxKeys: 5,
  noNullPrototype: true,
});

test("what is written is read again, at any alignment, and equal tensors give equal bytes", async () => {
  await fc.assert(
    fc.asyncProperty(files, fc.nat(9), async (tensors, shift) => {
      const bytes = encodeTensors(tensors);
      const host = new Uint8Array(bytes.length + shift);
      host.set(bytes, shift);
      const read = await decodeTensors(host.subarray(shift));
      assert.deepEqual(read, tensors);
      const turned = Object.fromEntries(Object.entries(tensors).reverse()) as Tensors;
      assert.deepEqual(encodeTensors(turned), bytes);
    }),
  );
});

test("a file with any bit flipped is refused", async () => {
  await fc.assert(
    fc.asyncProperty(
      files,
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      async (tensors, at) => {
        const bytes = encodeTensors(tensors);
        const bit = Math.floor(at * bytes.length * 8);
        bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7));
        await assert.rejects(decodeTensors(bytes), corrupt);
      },
    ),
  );
});

test("a file cut or extended anywhere is refused", async () => {
  await fc.assert(
    fc.asyncProperty(
      files,
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      async (tensors, at) => {
        const bytes = encodeTensors(tensors);
        await assert.rejects(decodeTensors(bytes.slice(0, Math.floor(at * bytes.length))), corrupt);
        const longer = new Uint8Array(bytes.length + 1);
        longer.set(bytes);
        await assert.rejects(decodeTensors(longer), corrupt);
      },
    ),
  );
});

test("a tensor that is absent or of another type is refused by name", () => {
  const tensors: Tensors = { bias: { dtype: "float32", shape: [1], data: Float32Array.of(1) } };
  assert.equal(tensorOf(tensors, "bias", "float32").data[0], 1);
  assert.throws(() => tensorOf(tensors, "weights", "float32"), /no tensor weights/);
  assert.throws(() => tensorOf(tensors, "bias", "uint64"), /bias is float32, not uint64/);
});
