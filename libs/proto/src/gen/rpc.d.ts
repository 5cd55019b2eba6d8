export * from "./google/rpc/error_details_pb.js";
export * from "./google/rpc/status_pb.js";
