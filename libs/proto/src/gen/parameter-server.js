export * from "./heddle/parameter_server/v1/parameter_server_service_pb.js";
