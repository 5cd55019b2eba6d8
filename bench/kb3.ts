import { createIndex, halvesOf, createTable } from "@heddle/kernels";
const R = 42000,
  B = 9400,
  D = 17;
const ids = new BigUint64Array(R).map(() =>
  BigInt.asUintN(
    64,
    (BigInt(Math.floor(Math.random() * 2 ** 32)) << 32n) |
      BigInt(Math.floor(Math.random() * 2 ** 32)),
  ),
);
const ix = createIndex(0);
const h = halvesOf(ids);
for (let i = 0; i < R; i++) ix.findOrAdd(h[2 * i]!, h[2 * i + 1]!);
const table = createTable({
  dimension: D,
  optimizer: { kind: "adagrad", rate: 0.05, initialAccumulator: 0.1, epsilon: 1e-7 },
  initialDeviation: 0.01,
  seed: 1,
  rowsMax: 1e7,
});
table.push(ids, new Float32Array(R * D));
const out = new Int32Array(B);
const g = new Float32Array(B * D).fill(0.001);
const rows = new Float32Array(B * D);
let a = 0,
  b = 0,
  c = 0;
for (let r = 0; r < 300; r++) {
  if (r === 100) {
    a = b = c = 0;
  }
  const batch = new BigUint64Array(B);
  for (let i = 0; i < B; i++) batch[i] = ids[(i * 4 + r * 1009) % R]!;
  let s = performance.now();
  ix.findAll(batch, out);
  a += performance.now() - s;
  s = performance.now();
  table.pull(batch, rows);
  b += performance.now() - s;
  s = performance.now();
  table.push(batch, g);
  c += performance.now() - s;
}
for (const [k, x] of [
  ["find", a],
  ["pull", b],
  ["push", c],
] as const)
  console.log(k, ((x / 200 / B) * 1e6).toFixed(1));
