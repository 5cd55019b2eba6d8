import { createRequire, registerHooks } from "node:module";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * Registers TensorFlow.js's gradients, and the operations as methods of tensors.
 *
 * The bundle that Node loads holds neither: they come with the package `@tensorflow/tfjs`, which brings
 * layers, converters and WebGL along. The modules themselves lie in tfjs-core, but in a form for bundlers,
 * without file extensions; so while they load, a hook completes their names. They find the engine and the
 * registries of the bundle by globals of tfjs-core's own, so the second copy of its code that they pull in
 * keeps no state.
 */
export async function registerGradients(): Promise<void> {
  const bundle = createRequire(import.meta.url).resolve("@tensorflow/tfjs-core");
  const bundleUrl = pathToFileURL(bundle).href;
  const folder = `${pathToFileURL(dirname(bundle)).href}/`;
  const ours = (url: string | undefined): boolean =>
    url !== bundleUrl && url?.startsWith(folder) === true;
  const hooks = registerHooks({
    resolve: (name, context, next) =>
      name.startsWith(".") && ours(context.parentURL)
        ? next(`${name}.js`, context)
        : next(name, context),
    load: (url, context, next) => next(url, ours(url) ? { ...context, format: "module" } : context),
  });
  try {
    await import(`${folder}register_all_gradients.js`);
    await import(`${folder}public/chained_ops/register_all_chained_ops.js`);
  } finally {
    hooks.deregister();
  }
}
