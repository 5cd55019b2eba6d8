// The update rules, each over one row: its values, its slots, its gradients. All arithmetic is float32, rounded after
// each operation. Columns go four at a time, those left over one at a time in lane 0, by the same operations.
import { a, b, c, epsilon, rate, restOfA, restOfB } from "./hyperparameters";
import { dimension, valueBytes } from "./layout";

/** Bytes that the columns from here take at a time. */
function width(at: u32): u32 {
  return at + 16 <= valueBytes ? 16 : 4;
}

function read(address: usize, bytes: u32): v128 {
  return bytes == 16 ? v128.load(address) : v128.load32_zero(address);
}

function write(address: usize, bytes: u32, x: v128): void {
  if (bytes == 16) v128.store(address, x);
  else v128.store32_lane(address, x, 0);
}

/** value −= rate × g. */
export function stepSgd(values: usize, gradients: usize): void {
  subtractScaled(values, gradients, f32x4.splat(rate));
}

/**
 * accumulator += g²; value −= rate × g / (√accumulator + ε).
 *
 * @source TensorFlow, ResourceApplyAdagradV2; Duchi, Hazan, Singer, "Adaptive Subgradient Methods", JMLR 2011.
 */
export function stepAdagrad(values: usize, slots: usize, gradients: usize): void {
  const rates = f32x4.splat(rate);
  const epsilons = f32x4.splat(epsilon);
  const whole = valueBytes & ~15;
  let at: u32 = 0;
  // What trains every table today: two loops save it the choice of width, some 5 % of a push.
  for (; at < whole; at += 16) {
    const g = v128.load(gradients + at);
    const sum = f32x4.add(v128.load(slots + at), f32x4.mul(g, g));
    v128.store(slots + at, sum);
    const step = f32x4.div(f32x4.mul(rates, g), f32x4.add(f32x4.sqrt(sum), epsilons));
    v128.store(values + at, f32x4.sub(v128.load(values + at), step));
  }
  for (; at < valueBytes; at += 4) {
    const g = load<f32>(gradients + at);
    const sum = load<f32>(slots + at) + g * g;
    store<f32>(slots + at, sum);
    const step = (rate * g) / (sqrt<f32>(sum) + epsilon);
    store<f32>(values + at, load<f32>(values + at) - step);
  }
}

/**
 * velocity = a × velocity + g; value −= rate × velocity.
 *
 * @source TensorFlow, ResourceApplyMomentum; Polyak, "Some methods of speeding up the convergence of iteration methods", 1964.
 */
export function stepMomentum(values: usize, slots: usize, gradients: usize): void {
  const factors = f32x4.splat(a);
  for (let at: u32 = 0, bytes: u32 = 0; at < valueBytes; at += bytes) {
    bytes = width(at);
    const kept = f32x4.mul(factors, read(slots + at, bytes));
    write(slots + at, bytes, f32x4.add(kept, read(gradients + at, bytes)));
  }
  subtractScaled(values, slots, f32x4.splat(rate));
}

/**
 * Adagrad with one accumulator a row: accumulator += mean of g²; value −= rate / (√accumulator + ε) × g.
 *
 * @source Mudigere et al., "Software-Hardware Co-design for Fast and Scalable Training of Deep Learning Recommendation Models",
 * ISCA 2022, §4.1.
 */
export function stepRowwiseAdagrad(values: usize, slot: usize, gradients: usize): void {
  let squares = f32x4.splat(0);
  for (let at: u32 = 0, bytes: u32 = 0; at < valueBytes; at += bytes) {
    bytes = width(at);
    const g = read(gradients + at, bytes);
    squares = f32x4.add(squares, f32x4.mul(g, g));
  }
  const even = f32x4.extract_lane(squares, 0) + f32x4.extract_lane(squares, 2);
  const odd = f32x4.extract_lane(squares, 1) + f32x4.extract_lane(squares, 3);
  const sum = load<f32>(slot) + (even + odd) / <f32>dimension;
  store<f32>(slot, sum);
  subtractScaled(values, gradients, f32x4.splat(rate / (sqrt<f32>(sum) + epsilon)));
}

/**
 * m += (1 − a) × (g − m); v += (1 − b) × (g² − v); value −= rate × √(1 − bᵗ) / (1 − aᵗ) × m / (√v + ε), where t counts the pushes
 * of this row. Slots are m, v, 1 − aᵗ, 1 − bᵗ; the last two are kept as they are, for 1 − x of a rounded x would be wrong.
 *
 * @source Kingma, Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, end of §2; as TensorFlow, ResourceApplyAdam.
 */
export function stepAdam(values: usize, means: usize, gradients: usize): void {
  const squares = means + valueBytes;
  const tail = squares + valueBytes;
  const ofMeans = a * load<f32>(tail) + restOfA;
  const ofSquares = b * load<f32>(tail, 4) + restOfB;
  store<f32>(tail, ofMeans);
  store<f32>(tail, ofSquares, 4);
  const rates = f32x4.splat((rate * sqrt<f32>(ofSquares)) / ofMeans);
  const epsilons = f32x4.splat(epsilon);
  const ones = f32x4.splat(restOfA);
  const twos = f32x4.splat(restOfB);
  for (let at: u32 = 0, bytes: u32 = 0; at < valueBytes; at += bytes) {
    bytes = width(at);
    const g = read(gradients + at, bytes);
    const m0 = read(means + at, bytes);
    const v0 = read(squares + at, bytes);
    const m = f32x4.add(m0, f32x4.mul(ones, f32x4.sub(g, m0)));
    const v = f32x4.add(v0, f32x4.mul(twos, f32x4.sub(f32x4.mul(g, g), v0)));
    write(means + at, bytes, m);
    write(squares + at, bytes, v);
    const step = f32x4.div(f32x4.mul(rates, m), f32x4.add(f32x4.sqrt(v), epsilons));
    write(values + at, bytes, f32x4.sub(read(values + at, bytes), step));
  }
}

/**
 * σ = (√(n + g²) − √n) / rate; z += g − σ × value; n += g²; value = 0 where |z| ≤ b, else (sign(z) × b − z) / ((a + √n) / rate + c).
 * Slots are n, z; a is the paper's β, b its λ₁, c its λ₂.
 *
 * @source McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013, algorithm 1.
 */
export function stepFtrl(values: usize, sums: usize, gradients: usize): void {
  const zs = sums + valueBytes;
  const rates = f32x4.splat(rate);
  const betas = f32x4.splat(a);
  const limits = f32x4.splat(b);
  const ridges = f32x4.splat(c);
  const signs = i32x4.splat(0x80000000);
  for (let at: u32 = 0, bytes: u32 = 0; at < valueBytes; at += bytes) {
    bytes = width(at);
    const g = read(gradients + at, bytes);
    const n0 = read(sums + at, bytes);
    const n = f32x4.add(n0, f32x4.mul(g, g));
    const root = f32x4.sqrt(n);
    const sigma = f32x4.div(f32x4.sub(root, f32x4.sqrt(n0)), rates);
    const moved = f32x4.sub(g, f32x4.mul(sigma, read(values + at, bytes)));
    const z = f32x4.add(read(zs + at, bytes), moved);
    write(sums + at, bytes, n);
    write(zs + at, bytes, z);
    const shrunk = f32x4.sub(v128.or(limits, v128.and(z, signs)), z);
    const curve = f32x4.add(f32x4.div(f32x4.add(betas, root), rates), ridges);
    const active = f32x4.gt(f32x4.abs(z), limits);
    write(values + at, bytes, v128.and(f32x4.div(shrunk, curve), active));
  }
}

/** value −= scale × step. */
function subtractScaled(values: usize, steps: usize, scale: v128): void {
  for (let at: u32 = 0, bytes: u32 = 0; at < valueBytes; at += bytes) {
    bytes = width(at);
    const step = f32x4.mul(scale, read(steps + at, bytes));
    write(values + at, bytes, f32x4.sub(read(values + at, bytes), step));
  }
}
