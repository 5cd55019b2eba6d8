import type { Tensor, TensorFlow } from "@heddle/executor";

/**
 * Gradients of a scalar with respect to tensors, as `tf.valueAndGrads` computes them; it would not say which tensor the
 * scalar does not depend on.
 *
 * @param mayBeUnread names of tensors that the scalar need not depend on: their gradients are zeros then.
 */
export function gradientsOf(
  tf: TensorFlow,
  read: readonly (readonly [name: string, tensor: Tensor])[],
  objective: (...values: Tensor[]) => Tensor,
  mayBeUnread: readonly string[],
): Readonly<Record<string, Tensor>> {
  const tensors = read.map(([, tensor]) => tensor);
  const { grads } = tf.tidy(() =>
    tf.engine().gradients(() => objective(...tensors), tensors, undefined, true),
  ) as unknown as { readonly grads: readonly (Tensor | null | undefined)[] };
  return Object.fromEntries(
    read.map(([name, tensor], i) => {
      const gradient = grads[i];
      if (gradient != null) return [name, gradient];
      // A model may leave its embeddings aside; a parameter that nothing depends on is a mistake.
      if (mayBeUnread.includes(name)) return [name, tf.zerosLike(tensor)];
      throw new Error(
        `the loss does not depend on parameter "${name}": use it in build, leave it out, or declare it as moving`,
      );
    }),
  );
}
