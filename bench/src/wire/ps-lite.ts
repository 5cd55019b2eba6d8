import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { messageOf } from "@heddle/base";
import type { TemporaryFolder } from "@heddle/testkit";
import type { BenchOptions } from "../main.ts";
import { openLinePeer } from "../line-peer.ts";
import type { WirePeer } from "./ways.ts";
import { dimension, type Work } from "./work.ts";

const source = join(import.meta.dirname, "../../ps-lite/peer.cc");
const kept = join(import.meta.dirname, "../../out/ps-lite");
/** Of March 2026, Apache-2.0. */
const repository = "https://github.com/dmlc/ps-lite";
const commit = "15b8adf17e9871ff6112c80e4b290fa38c2b4656";
const buildMs = 300_000;

/** The same rows by ps-lite over TCP, or in words why not: its sources are fetched and compiled with the machine's ZeroMQ and protobuf. */
export async function openPsLite(
  folder: TemporaryFolder,
  { rows }: Work,
  { args, environment, say }: Pick<BenchOptions, "args" | "environment" | "say">,
): Promise<WirePeer | string> {
  const run = async (program: string, ...given: string[]): Promise<void> => {
    const env = { ...environment, GIT_TERMINAL_PROMPT: "0" };
    await promisify(execFile)(program, given, { env, timeout: buildMs });
  };
  const program = folder.file("ps_lite");
  try {
    const checkout = args["ps-lite"] ?? (await fetched(run, say));
    const of = (path: string): string => join(checkout, path);
    say("compiling ps-lite");
    await run(
      "protoc",
      `--proto_path=${of("src")}`,
      `--cpp_out=${folder.path}`,
      of("src/meta.proto"),
    );
    const files = ["customer.cc", "postoffice.cc", "van.cc"].map((file) => of(`src/${file}`));
    const headers = [folder.path, of("src"), of("include")].map((path) => `-I${path}`);
    await run(
      ...(["g++", "-O3", "-std=c++17", "-pthread", ...headers] as const),
      ...[source, ...files, folder.file("meta.pb.cc")],
      ...["-lzmq", "-lprotobuf", "-o", program],
    );
  } catch (error) {
    const { code, path = "" } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return `there is no ${path}`;
    const said = messageOf(error);
    const why = /error: (.*)/.exec(said)?.[1] ?? said.trim().split("\n").at(-1) ?? "";
    return `ps-lite cannot be had (${why}): it takes git, g++, protoc and the headers of ZeroMQ and protobuf; --ps-lite=FOLDER names a checkout`;
  }
  const peer = openLinePeer("ps-lite", program, [String(rows), String(dimension)]);
  return { way: async (steps) => Number(await peer.ask(String(steps))), close: peer.close };
}

/** The checkout of that commit, made once. */
async function fetched(
  run: (program: string, ...given: string[]) => Promise<void>,
  say: (text: string) => void,
): Promise<string> {
  if (existsSync(join(kept, "src/van.cc"))) return kept;
  say(`fetching ps-lite ${commit.slice(0, 7)}`);
  await mkdir(kept, { recursive: true });
  const git = (...given: string[]): Promise<void> => run("git", "-C", kept, ...given);
  await git("init", "--quiet");
  await git("fetch", "--quiet", "--depth=1", repository, commit);
  await git("checkout", "--quiet", "--force", "FETCH_HEAD");
  return kept;
}
