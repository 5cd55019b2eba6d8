export * from "./heddle/registry/v1/registry_service_pb.js";
export * from "./heddle/registry/v1/version_pb.js";
