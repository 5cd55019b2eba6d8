export * from "./grpc/reflection/v1/reflection_pb.js";
