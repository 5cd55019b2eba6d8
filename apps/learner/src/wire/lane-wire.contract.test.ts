import { wireContract } from "./contract.ts";
import { openLaneWire } from "./lane-wire.ts";

wireContract("lane", openLaneWire);
