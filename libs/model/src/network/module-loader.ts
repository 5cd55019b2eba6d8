import { createRequire, registerHooks } from "node:module";

/** A place that no file has: modules from memory look like files of it, so that errors name their lines. */
const root = "/heddle-module/";
const rootUrl = `file://${root}`;
const format = "module-typescript";
const require = createRequire(import.meta.url);

/**
 * Loads a TypeScript module from texts, by Node's own type stripping. It may import relative files and `@heddle/sdk`, whose
 * copy is this release's; everything else is refused, Node's modules too. That keeps a module whole, no more: its code runs with
 * the rights of the process, as SECURITY.md says.
 *
 * @param key a name that no other texts have: Node keeps what it loaded under it.
 * @param read gives the text of a path; undefined when there is none.
 * @throws {Error} what the module throws, and a syntax error, with file and line.
 */
export function loadFromTexts(
  key: string,
  entry: string,
  read: (path: string) => string | undefined,
): Record<string, unknown> {
  const own = `${rootUrl}${key}/`;
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      if (specifier === `${root}${key}/${entry}`) {
        return { url: `${own}${entry}`, format, shortCircuit: true };
      }
      if (!context.parentURL?.startsWith(own)) return next(specifier, context);
      const from = context.parentURL.slice(own.length);
      if (specifier === "@heddle/sdk" || specifier.startsWith("@heddle/sdk/")) {
        return { url: import.meta.resolve(specifier), format, shortCircuit: true };
      }
      const url = specifier.startsWith(".") ? new URL(specifier, context.parentURL).href : "";
      if (url.startsWith(own) && read(url.slice(own.length)) !== undefined) {
        return { url, format, shortCircuit: true };
      }
      throw new Error(
        `${from} imports "${specifier}": a model module may import files of its project, by relative path with extension, and @heddle/sdk`,
      );
    },
    load: (url, context, next) => {
      if (!url.startsWith(own)) return next(url, context);
      const source = read(url.slice(own.length));
      if (source === undefined) throw new Error(`there is no ${url.slice(own.length)}`);
      return { format, source, shortCircuit: true };
    },
  });
  try {
    return require(`${root}${key}/${entry}`) as Record<string, unknown>;
  } finally {
    hooks.deregister();
  }
}
