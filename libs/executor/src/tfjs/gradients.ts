import { present } from "@heddle/base";
import { createRequire, registerHooks } from "node:module";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import type { Tensor, TensorFlow } from "../port.ts";

/**
 * Registers TensorFlow.js's gradients, and the operations as methods of tensors.
 *
 * The bundle that Node loads holds neither: they come with the package `@tensorflow/tfjs`, which brings
 * layers, converters and WebGL along. The modules themselves lie in tfjs-core, but in a form for bundlers,
 * without file extensions; so while they load, a hook completes their names. They find the engine and the
 * registries of the bundle by globals of tfjs-core's own, so the second copy of its code that they pull in
 * keeps no state.
 */
export async function registerGradients(tf: TensorFlow): Promise<void> {
  const bundle = createRequire(import.meta.url).resolve("@tensorflow/tfjs-core");
  const bundleUrl = pathToFileURL(bundle).href;
  const folder = `${pathToFileURL(dirname(bundle)).href}/`;
  const ours = (url: string | undefined): boolean =>
    url !== bundleUrl && url?.startsWith(folder) === true;
  const hooks = registerHooks({
    // Some six hundred modules: Node's own resolution, which looks at each folder's package, would take half of the time.
    resolve: (name, context, next) =>
      name.startsWith(".") && ours(context.parentURL)
        ? {
            url: new URL(`${name}.js`, context.parentURL).href,
            format: "module",
            shortCircuit: true,
          }
        : next(name, context),
    load: (url, context, next) => next(url, ours(url) ? { ...context, format: "module" } : context),
  });
  try {
    await import(`${folder}register_all_gradients.js`);
    await import(`${folder}public/chained_ops/register_all_chained_ops.js`);
  } finally {
    hooks.deregister();
  }
  tf.registerGradient({
    kernelName: tf.Tile,
    inputsToSave: ["x"],
    gradFunc: (dy, [x], attrs) => ({ x: () => tileGradient(tf, dy as Tensor, x, attrs["reps"]) }),
  });
}

/**
 * The gradient of tile (and so of broadcastTo): the copies, each on an axis of its own, are summed.
 * TensorFlow.js's own adds up one slice per copy, so that no two row counts run the same kernels.
 */
function tileGradient(tf: TensorFlow, dy: Tensor, x: Tensor | undefined, reps: unknown): Tensor {
  const shape = present(x, "the tiled tensor").shape;
  const copies = shape.map((_, i) => Number((reps as readonly number[])[i]));
  const apart: number[] = [];
  const axes: number[] = [];
  copies.forEach((count, i) => {
    if (count !== 1) {
      axes.push(apart.length);
      apart.push(count);
    }
    apart.push(shape[i] ?? 1);
  });
  return tf.sum(tf.reshape(dy, apart), axes);
}
