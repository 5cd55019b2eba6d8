// What the documents name must be there: links, anchors, files in backticks, commands and scripts in code blocks.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const skipped = new Set(["node_modules", ".git", ".heddle", ".nx", ".venv", "dist", "out"]);
/** Files of a user's own project, and stand-ins in a rule about names. */
const notOurs = new Set([
  ...["heddle.ts", "heddle.mjs"],
  ...["x.ts", "x.test.ts", "x.prop.test.ts", "x.production.ts"],
]);

/** Every place under `root` where a document names what is not there or is in two versions, in words; an empty list when there is none. */
export function documentBreaches(root: string): string[] {
  const files = filesUnder(root).map((file) => relative(root, file));
  return files
    .filter((file) => file.endsWith(".md"))
    .flatMap((file) => {
      const text = readFileSync(join(root, file), "utf8");
      const { prose, code } = split(text);
      const problems = [
        ...(/^(<{7}|>{7}) /m.test(text) ? ["a merge is not finished in it"] : []),
        ...brokenLinks(root, file, prose, files),
        ...missingFiles(prose, files),
        ...unknownCommands(root, code, files),
      ];
      return problems.map((problem) => `${file}: ${problem}`);
    });
}

/** Prose, and the contents of fenced blocks and of inline code that is a command. */
function split(text: string): { readonly prose: string; readonly code: string } {
  const fences = [...text.matchAll(/^```[^\n]*\n([\s\S]*?)^```/gm)].map((match) => match[1] ?? "");
  const prose = text.replaceAll(/^```[^\n]*\n[\s\S]*?^```/gm, "");
  const inline = [...prose.matchAll(/`((?:npx )?heddle [^`]+|npm run [^`]+)`/g)];
  return { prose, code: [...fences, ...inline.map((match) => match[1] ?? "")].join("\n") };
}

function brokenLinks(
  root: string,
  file: string,
  prose: string,
  files: readonly string[],
): string[] {
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? "");
  return links.flatMap((link) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [path = "", anchor] = link.split("#", 2);
    const target = path === "" ? file : relative(root, resolve(root, dirname(file), path));
    const isFolder = files.some((other) => other.startsWith(`${target}/`));
    if (!files.includes(target) && !isFolder) return [`the link ${link} leads nowhere`];
    if (anchor === undefined || !target.endsWith(".md")) return [];
    return anchorsOf(readFileSync(join(root, target), "utf8")).includes(anchor)
      ? []
      : [`the link ${link} names a heading that ${target} does not have`];
  });
}

/** Anchors of a page's headings, as GitHub makes them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] ?? "")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** Files in backticks: from the root, or the end of a path, so that a README may leave out its own folder. */
function missingFiles(prose: string, files: readonly string[]): string[] {
  const named = [...prose.matchAll(/`([\w@.*-]+(?:\/[\w@.*-]+)*\.(?:ts|mjs|proto|md))`/g)];
  return named.flatMap((match) => {
    const name = (match[1] ?? "").replace(/^(?:\.\/|(?:\.\.\/)+)/, "");
    if (notOurs.has(name) || /^@|^\.heddle|NNNN/.test(name)) return [];
    const pattern = new RegExp(
      `(?:^|/)${name.replaceAll(/[.+]/g, "\\$&").replaceAll("*", "[^/]*")}$`,
    );
    return files.some((file) => pattern.test(file)) ? [] : [`there is no file ${name}`];
  });
}

/** Commands shown: the verb and its flags exist, and so does the script that `npm run` names. */
function unknownCommands(root: string, code: string, files: readonly string[]): string[] {
  const textOf = (file: string): string =>
    files.includes(file) ? readFileSync(join(root, file), "utf8") : "";
  const shared = textOf("apps/cli/src/context.ts");
  const shown = [...code.matchAll(/(?:^|&& |\| )\s*(?:npx )?heddle ([a-z][\w-]*)([^\n#]*)/gm)];
  const commands = shown.flatMap(([, verb = "", rest = ""]) => {
    const own = textOf(`apps/cli/src/commands/${verb}.ts`);
    if (own === "") return [`there is no command heddle ${verb}`];
    const flags = [...rest.matchAll(/ --([a-z]+)/g)].map((match) => match[1] ?? "");
    return flags
      .filter((flag) => flag !== "help" && !new RegExp(`\\b${flag}\\b`).test(`${own}\n${shared}`))
      .map((flag) => `heddle ${verb} has no flag --${flag}`);
  });
  const manifest = JSON.parse(textOf("package.json") || "{}") as { scripts?: object };
  const scripts = [...code.matchAll(/npm run ([\w:-]+)/g)]
    .map((match) => match[1] ?? "")
    .filter((name) => !(name in (manifest.scripts ?? {})))
    .map((name) => `package.json has no script ${name}`);
  return [...commands, ...scripts];
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (skipped.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}
