import type { Tensor, TensorFlow } from "@heddle/executor";
import type { Built } from "@heddle/sdk/architecture";

/** Probabilities of the rows, shape [rows]. */
export function predictionsOf(tf: TensorFlow, built: Built, like: Tensor): Tensor {
  if (built.predictions !== undefined) return column(tf, built.predictions, "predictions", like);
  return tf.sigmoid(logitsOf(tf, built, like));
}

/** The rows' losses: their mean, and their sum, scalars both. */
export function lossOf(
  tf: TensorFlow,
  built: Built,
  label: Tensor,
): { readonly mean: Tensor; readonly sum: Tensor } {
  const rows = label.shape[0] ?? 0;
  if (built.losses?.rank === 0) {
    return { mean: tf.keep(built.losses), sum: tf.mul(built.losses, rows) };
  }
  const losses =
    built.losses === undefined
      ? logLosses(tf, logitsOf(tf, built, label), label)
      : column(tf, built.losses, "losses", label);
  const kept = tf.keep(losses);
  return { mean: tf.keep(tf.mean(kept)), sum: tf.sum(kept) };
}

/** Log losses of the rows, stable for any logit z: max(z, 0) − z y + log(1 + e^−|z|). */
function logLosses(tf: TensorFlow, logits: Tensor, label: Tensor): Tensor {
  const rest = tf.log1p(tf.exp(tf.neg(tf.abs(logits))));
  return tf.add(tf.sub(tf.relu(logits), tf.mul(logits, label)), rest);
}

function logitsOf(tf: TensorFlow, { logits }: Built, like: Tensor): Tensor {
  if (logits !== undefined) return column(tf, logits, "logits", like);
  throw new Error("build gives no logits: return { logits }, or { predictions, losses }");
}

/** One number a row, shape [rows]; a matrix of one column is taken as such. */
function column(tf: TensorFlow, tensor: Tensor, what: string, like: Tensor): Tensor {
  const rows = like.shape[0] ?? 0;
  const { shape } = tensor;
  if (shape.length === 1 && shape[0] === rows) return tensor;
  if (shape.length === 2 && shape[0] === rows && shape[1] === 1) return tf.reshape(tensor, [-1]);
  throw new Error(
    `the ${what} that build gives have shape [${shape.join()}] for ${rows} rows: expected one number a row, [${rows}]`,
  );
}
