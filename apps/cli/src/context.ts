import { resolve } from "node:path";
import type { CommandContext } from "@stricli/core";
import { HeddleError, utcMs } from "@heddle/base";
import { makeStateFolder } from "./folder.ts";
import type { Clients } from "./host/clients.ts";
import { type Palette, paletteFor } from "./output/style.ts";

/** The streams of a command, and the exit code it leaves. */
interface Terminal {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  exitCode: number | string | null;
}

/** What every command works with: its streams, its place, and the services of its state folder. */
export interface Context extends CommandContext {
  readonly process: Terminal;
  readonly palette: Palette;
  /** Runs `use` with clients of the folder's host; starts a host for that long when none runs. */
  withHost<T>(state: string, use: (clients: Clients) => Promise<T>): Promise<T>;
  /** Prints data on stdout: JSON for programs, or text for people. */
  print(flags: { readonly json: boolean }, data: unknown, text: () => string): void;
}

/** Flags that every command that asks a host has. */
export interface HostFlags {
  readonly state: string;
  readonly json: boolean;
}

export const stateFlag = {
  kind: "parsed",
  parse: (text: string) => resolve(text),
  brief: "Folder that holds all state",
  default: ".heddle",
} as const;

export const jsonFlag = {
  kind: "boolean",
  brief: "Print JSON for programs on stdout",
  default: false,
  withNegated: false,
} as const;

export const quietFlag = {
  kind: "boolean",
  brief: "No progress on stderr",
  default: false,
  withNegated: false,
} as const;

/** The positional part of a command that takes one argument. */
export const oneArgument = (placeholder: string, brief: string) =>
  ({ kind: "tuple", parameters: [{ placeholder, brief, parse: String }] }) as const;

/** @throws {HeddleError} INVALID_ARGUMENT USAGE_MOMENT. */
export function momentOf(text: string): number {
  const time = utcMs(text);
  if (Number.isFinite(time)) return time;
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "USAGE_MOMENT",
    `"${text}" is no moment: write it as 2026-11-23T18:00Z`,
  );
}

export const hostFlags = { state: stateFlag, json: jsonFlag } as const;

export function openContext(host: NodeJS.Process): Context {
  const process: Terminal = {
    stdout: host.stdout,
    stderr: host.stderr,
    env: host.env,
    get exitCode() {
      return host.exitCode ?? null;
    },
    set exitCode(code) {
      host.exitCode = code;
    },
  };
  return {
    process,
    palette: paletteFor(process.stdout),
    withHost: async (state, use) => {
      // gRPC and the generated contracts take 0.2 s to load: only for commands that ask a host.
      const { withHost } = await import("./host/connect.ts");
      // Most often meant; else the command runs in another folder than the one before it.
      if (makeStateFolder(state)) process.stderr.write(`new state folder ${state}\n`);
      return withHost(state, use);
    },
    print: (flags, data, text) => {
      process.stdout.write(`${flags.json ? JSON.stringify(data, jsonValue, 2) : text()}\n`);
    },
  };
}

/** 64-bit numbers as text, as protobuf's JSON has them. */
function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}
