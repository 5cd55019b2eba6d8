import { wireContract } from "./contract.ts";
import { openGrpcWire } from "./grpc-wire.ts";

wireContract("grpc", openGrpcWire);
