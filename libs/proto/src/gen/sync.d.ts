export * from "./heddle/sync/v1/sync_service_pb.js";
