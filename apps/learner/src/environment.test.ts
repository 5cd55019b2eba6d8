import assert from "node:assert/strict";
import { test } from "node:test";
import { instructionSet } from "./environment.ts";

test("the instruction set names what numeric libraries choose by, or else the model", () => {
  const cpuinfo = "processor : 0\nflags\t\t: fpu sse4_2 avx2 fma ht\n";
  assert.equal(instructionSet("x64", cpuinfo), "x64 sse4_2 avx2 fma");
  assert.equal(instructionSet("arm64", "Features : fp asimd\n"), "arm64 asimd");
  assert.equal(instructionSet("arm64", "Apple M1"), "arm64 Apple M1");
});
