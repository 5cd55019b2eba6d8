import { wireContract } from "./contract.ts";
import { openGrpcWire } from "./grpc-wire.ts";
import { cachedRowsContract } from "./cached-rows-contract.ts";
import { rowFormatContract } from "./row-format-contract.ts";

wireContract("grpc", openGrpcWire);
rowFormatContract("grpc", openGrpcWire);
cachedRowsContract("grpc", openGrpcWire);
