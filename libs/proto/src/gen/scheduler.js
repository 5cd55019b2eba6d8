export * from "./heddle/scheduler/v1/pipeline_run_pb.js";
export * from "./heddle/scheduler/v1/scheduler_service_pb.js";
