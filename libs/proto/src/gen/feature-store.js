export * from "./heddle/feature_store/v1/dataset_pb.js";
export * from "./heddle/feature_store/v1/feature_store_service_pb.js";
export * from "./heddle/feature_store/v1/source_pb.js";
