// Writes docs/reference/error-reasons.md: every reason of a HeddleError in libs and apps, with its code and message.
// `--check` compares instead.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";

interface Row {
  readonly reason: string;
  readonly code: string;
  readonly message: string;
  readonly file: string;
}
/** A function that makes an error of a reason it is given. */
interface Maker {
  readonly parameters: readonly string[];
  readonly reasonAt: number;
  readonly code: string;
  readonly message: ts.Expression;
}
type Bound = ReadonlyMap<string, ts.Expression>;

const header = `# Error reasons

Every expected failure has a code (what the caller should do: [CONTRIBUTING](../../CONTRIBUTING.md#5-errors)) and a
stable reason. Messages name the thing, the place and the remedy; \`{…}\` stands for what is filled in. A failure
without a code is a step's or job's, in the record of its attempt.

This page is generated: \`node tools/reasons.ts\` writes it.

| reason | code | message | from |
| --- | --- | --- | --- |
`;

/** The rows of some sources, given as [name, text]. Exported makers of reasons count in all files, others in their own. */
export function reasonsOf(sources: readonly (readonly [string, string])[]): Row[] {
  const files = sources.map(([name, text]) =>
    ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true),
  );
  const makers = new Map<string, Maker>();
  const rows: Row[] = [];
  for (const file of files) visit(file, (node) => addError(node, file.fileName, makers, rows));
  for (const file of files) {
    visit(file, (node) => {
      if (!ts.isCallExpression(node)) return;
      const name = node.expression.getText();
      const maker = makers.get(`${file.fileName} ${name}`) ?? makers.get(name);
      const reason = maker && node.arguments[maker.reasonAt];
      if (maker === undefined || reason === undefined || !ts.isStringLiteral(reason)) return;
      const bound = new Map(maker.parameters.map((p, i) => [p, node.arguments[i] ?? reason]));
      const { text } = reason;
      const message = wordsOf(maker.message, bound);
      rows.push({ reason: text, code: maker.code, message, file: file.fileName });
    });
  }
  const unique = new Map(rows.map((row) => [Object.values(row).join("\0"), row]));
  return [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

function visit(node: ts.Node, act: (node: ts.Node) => void): void {
  act(node);
  ts.forEachChild(node, (child) => visit(child, act));
}

function addError(node: ts.Node, file: string, makers: Map<string, Maker>, rows: Row[]): void {
  if (ts.isObjectLiteralExpression(node)) return addFailure(node, file, rows);
  if (!ts.isNewExpression(node) || node.expression.getText() !== "HeddleError") return;
  const [code, reason, message] = node.arguments ?? [];
  if (!code || !reason || !message || !ts.isStringLiteral(code)) return;
  const owner = ts.findAncestor(node, ts.isFunctionDeclaration);
  const parameters = (owner?.parameters ?? []).map((parameter) => parameter.name.getText());
  const reasonAt = parameters.indexOf(reason.getText());
  if (owner?.name === undefined || reasonAt < 0) {
    if (ts.isIdentifier(reason)) return;
    const words = wordsOf(message, new Map());
    rows.push({ reason: wordsOf(reason, new Map()), code: code.text, message: words, file });
    return;
  }
  const exported = owner.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
  const key = exported === true ? owner.name.text : `${file} ${owner.name.text}`;
  makers.set(key, { parameters, reasonAt, code: code.text, message });
}

/** `{ reason: "X", error: … }`: what ended an attempt. */
function addFailure(node: ts.ObjectLiteralExpression, file: string, rows: Row[]): void {
  const valueOf = (...names: string[]): ts.Expression | undefined =>
    node.properties.filter(ts.isPropertyAssignment).find((p) => names.includes(p.name.getText()))
      ?.initializer;
  const [reason, message] = [valueOf("reason"), valueOf("error", "message")];
  if (valueOf("code") || !reason || !message || !ts.isStringLiteral(reason)) return;
  rows.push({ reason: reason.text, code: "", message: wordsOf(message, new Map()), file });
}

/** An expression as words: text as it is, parameters as what was given for them, all else in braces. */
function wordsOf(node: ts.Expression, bound: Bound): string {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node)) {
    const parts = node.templateSpans.map((s) => wordsOf(s.expression, bound) + s.literal.text);
    return node.head.text + parts.join("");
  }
  if (ts.isIdentifier(node)) {
    const given = bound.get(node.text);
    return given === undefined ? `{${node.text}}` : wordsOf(given, new Map());
  }
  return ts.isPropertyAccessExpression(node) ? `{${node.name.text}}` : "{…}";
}

function page(root: string): string {
  const sources = ["libs", "apps"].flatMap((group) =>
    readdirSync(join(root, group), { recursive: true, encoding: "utf8" })
      .filter((file) => /^[^/]+\/src\/.*\.ts$/.test(file))
      .filter((file) => !/\.(test|production)\.ts$|\/contract\.ts$|\/fixtures\/|\/gen\//.test(file))
      .map((file) => join(root, group, file)),
  );
  const texts = sources.map((file) => [relative(root, file), readFileSync(file, "utf8")] as const);
  const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
  const lines = reasonsOf(texts).map(
    ({ reason, code, message, file }) =>
      `| \`${reason}\` | ${code} | ${cell(message)} | [${file}](../../${file}) |\n`,
  );
  return header + lines.join("");
}

if (import.meta.main) {
  const root = join(import.meta.dirname, "..");
  const file = join(root, "docs/reference/error-reasons.md");
  if (!process.argv.includes("--check")) writeFileSync(file, page(root));
  else if (readFileSync(file, "utf8") !== page(root)) {
    console.error('docs/reference/error-reasons.md is not current: run "node tools/reasons.ts"');
    process.exitCode = 1;
  }
}
