export * from "./heddle/model_server/v1/model_server_service_pb.js";
