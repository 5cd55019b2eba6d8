import type { Optimizer } from "./port.ts";

/**
 * Moves `count` consecutive values by their gradients: a row's values or a dense parameter's, and their slots.
 *
 * All arithmetic is float32, rounded after every operation, and gives the bits of the kernel's rules: formulas, slots and sources stand
 * in `assembly/rules.ts`.
 */
export type Update = (
  values: Float32Array,
  at: number,
  slots: Float32Array,
  slotsAt: number,
  gradients: Float32Array,
  gradientsAt: number,
  count: number,
) => void;

/** The update rule of an optimiser. */
export function updateOf(optimizer: Optimizer): Update {
  switch (optimizer.kind) {
    case "sgd":
      return sgd(optimizer.rate);
    case "momentum":
      return momentum(optimizer.rate, optimizer.momentum);
    case "adagrad":
      return adagrad(optimizer.rate, optimizer.epsilon);
    case "adam":
      return adam(optimizer);
  }
}

/** What a new slot holds. */
export function initialSlot(optimizer: Optimizer): number {
  return optimizer.kind === "adagrad" ? optimizer.initialAccumulator : 0;
}

const round = Math.fround;

function sgd(exactRate: number): Update {
  const rate = round(exactRate);
  return (values, at, _slots, _slotsAt, gradients, gradientsAt, count) => {
    for (let i = 0; i < count; i++) {
      const g = gradients[gradientsAt + i] as number;
      values[at + i] = round((values[at + i] as number) - round(rate * g));
    }
  };
}

function momentum(exactRate: number, exactFactor: number): Update {
  const [rate, factor] = [round(exactRate), round(exactFactor)];
  return (values, at, slots, slotsAt, gradients, gradientsAt, count) => {
    for (let i = 0; i < count; i++) {
      const kept = round(factor * (slots[slotsAt + i] as number));
      const velocity = round(kept + (gradients[gradientsAt + i] as number));
      slots[slotsAt + i] = velocity;
      values[at + i] = round((values[at + i] as number) - round(rate * velocity));
    }
  };
}

/**
 * ε stands outside the root, as in TensorFlow's ResourceApplyAdagradV2 (Keras 3 and TensorFlow.js put it under the root instead: with
 * ε = 1e-7 and an initial accumulator of 0.1 the two differ by less than one part in a million).
 */
function adagrad(exactRate: number, exactEpsilon: number): Update {
  const [rate, epsilon] = [round(exactRate), round(exactEpsilon)];
  return (values, at, slots, slotsAt, gradients, gradientsAt, count) => {
    for (let i = 0; i < count; i++) {
      const g = gradients[gradientsAt + i] as number;
      const accumulator = round((slots[slotsAt + i] as number) + round(g * g));
      slots[slotsAt + i] = accumulator;
      const root = round(round(Math.sqrt(accumulator)) + epsilon);
      values[at + i] = round((values[at + i] as number) - round(round(rate * g) / root));
    }
  };
}

/** Slots: means, mean squares, and what their bias is divided by. */
function adam(exact: Extract<Optimizer, { kind: "adam" }>): Update {
  const { beta1, beta2 } = exact;
  const [rate, epsilon, one, two] = [exact.rate, exact.epsilon, beta1, beta2].map(round) as Four;
  // What β leaves of 1 is right to the last bit only where it is taken before rounding.
  const [restOfOne, restOfTwo] = [round(1 - beta1), round(1 - beta2)];
  return (values, at, slots, slotsAt, gradients, gradientsAt, count) => {
    const tail = slotsAt + 2 * count;
    const ofMeans = round(round(one * (slots[tail] as number)) + restOfOne);
    const ofSquares = round(round(two * (slots[tail + 1] as number)) + restOfTwo);
    slots[tail] = ofMeans;
    slots[tail + 1] = ofSquares;
    const pace = round(round(rate * round(Math.sqrt(ofSquares))) / ofMeans);
    for (let i = 0; i < count; i++) {
      const g = gradients[gradientsAt + i] as number;
      const [m0, v0] = [slots[slotsAt + i] as number, slots[slotsAt + count + i] as number];
      const m = round(m0 + round(restOfOne * round(g - m0)));
      const v = round(v0 + round(restOfTwo * round(round(g * g) - v0)));
      slots[slotsAt + i] = m;
      slots[slotsAt + count + i] = v;
      const step = round(round(pace * m) / round(round(Math.sqrt(v)) + epsilon));
      values[at + i] = round((values[at + i] as number) - step);
    }
  };
}

type Four = [number, number, number, number];
