export * from "./grpc/health/v1/health_pb.js";
