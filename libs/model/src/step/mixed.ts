import { present } from "@heddle/base";
import type { Tensor, TensorFlow } from "@heddle/executor";
import type { Term } from "../network/terms.ts";

/**
 * The mean of what each term gives, by their shares. Of probabilities: the log loss of the mean is never above the mean of the log
 * losses, for −log is convex.
 *
 * @source Cover and Thomas, "Elements of Information Theory", 2006, §2.6 (Jensen's inequality).
 */
export function mixed(tf: TensorFlow, terms: readonly Term[], values: readonly Tensor[]): Tensor {
  const [only] = values;
  if (values.length === 1 && only !== undefined) return only;
  return terms
    .map(({ share }, n) => tf.mul(present(values[n], "what a term gives"), share))
    .reduce((one, other) => tf.add(one, other));
}
