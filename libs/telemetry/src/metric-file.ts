import { appendFileSync } from "node:fs";
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import {
  AggregationTemporality,
  type PushMetricExporter,
  type ResourceMetrics,
} from "@opentelemetry/sdk-metrics";

/** Appends one JSON line per metric and interval to a file. */
export function metricFileExporter(path: string, service: string): PushMetricExporter {
  return {
    export(metrics: ResourceMetrics, done: (result: ExportResult) => void): void {
      const lines = metrics.scopeMetrics.flatMap((scope) =>
        scope.metrics.map((metric) =>
          JSON.stringify({
            service,
            name: metric.descriptor.name,
            unit: metric.descriptor.unit,
            timeMs: Date.now(),
            points: metric.dataPoints.map(({ attributes, value }) => ({ attributes, value })),
          }),
        ),
      );
      try {
        if (lines.length > 0) appendFileSync(path, `${lines.join("\n")}\n`);
        done({ code: ExportResultCode.SUCCESS });
      } catch (error) {
        done({ code: ExportResultCode.FAILED, error: error as Error });
      }
    },
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
    selectAggregationTemporality: () => AggregationTemporality.CUMULATIVE,
  };
}
