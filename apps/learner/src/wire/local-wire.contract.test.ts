import { cachedRowsContract } from "./cached-rows-contract.ts";
import { wireContract } from "./contract.ts";
import type { Open } from "../fixtures/wire-gang.ts";
import { openLocalWire } from "./local-wire.ts";
import { rowFormatContract } from "./row-format-contract.ts";

const open: Open = (declaration, { implementations, ...options }) =>
  openLocalWire(declaration, implementations, options);

const openShared: Open = (declaration, options) =>
  open(declaration, { ...options, sharesMemory: true });

wireContract("local", open, false);
wireContract("local, in memory that threads share", openShared, false);
rowFormatContract("local", open);
cachedRowsContract("local", open);
