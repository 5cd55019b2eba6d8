import assert from "node:assert/strict";
import { test } from "node:test";
import { HeddleError } from "@heddle/base";
import {
  begun,
  endOf,
  failed,
  type Fleet,
  newFleet,
  type Rollout,
  servingOf,
  succeeded,
} from "./fleet.ts";

const proof = { expectedDigest: "d", reportedDigest: "d", goldenError: 0, verifiedTimeMs: 1 };

function rollout(n: number, kind: Rollout["kind"] = "publish", version = `v${n}`): Rollout {
  const manifest = { name: version, bytes: 1, sha256: version };
  return { rollout: `r${n}`, kind, model: "m", version, manifest, reason: "", step: "copying" };
}

function after(fleet: Fleet, next: Rollout, previousMax = 3): Fleet {
  return succeeded(begun(fleet, next), next, proof, previousMax);
}

test("earlier versions are bounded, newest kept", () => {
  let fleet = newFleet("main");
  for (let n = 1; n <= 6; n++) fleet = after(fleet, rollout(n));
  assert.deepEqual(servingOf(fleet, "m")?.previous, ["v3", "v4", "v5"]);
});

test("rolling back and publishing again does not list a version twice in a row", () => {
  let fleet = after(after(newFleet("main"), rollout(1)), rollout(2));
  fleet = after(fleet, rollout(3, "rollback", "v1"));
  assert.deepEqual(servingOf(fleet, "m")?.previous, []);
  fleet = after(fleet, rollout(4, "publish", "v2"));
  fleet = after(fleet, rollout(5, "publish", "v2"));
  assert.deepEqual(servingOf(fleet, "m")?.previous, ["v1"]);
});

test("a failed rollout changes nothing that serves and is remembered among the last", () => {
  const serving = after(newFleet("main"), rollout(1));
  const error = new HeddleError("DATA_LOSS", "DIGEST_MISMATCH", "no");
  let fleet = failed(begun(serving, rollout(2)), rollout(2), error);
  assert.deepEqual([fleet.servings, fleet.rollout], [serving.servings, null]);
  assert.equal(endOf(fleet, "r2")?.error?.reason, "DIGEST_MISMATCH");
  for (let n = 3; n < 40; n++) fleet = failed(begun(fleet, rollout(n)), rollout(n), error);
  assert.equal(fleet.ended.length, 32);
  assert.equal(endOf(fleet, "r2"), undefined);
});
