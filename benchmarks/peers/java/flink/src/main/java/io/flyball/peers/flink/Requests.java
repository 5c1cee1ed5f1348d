package io.flyball.peers.flink;

import io.flyball.peers.otlp.Decoder;
import io.flyball.peers.otlp.Options;
import io.flyball.peers.otlp.Totals;
import java.time.Duration;
import java.util.Map;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.api.java.tuple.Tuple4;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.core.execution.CheckpointingMode;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;

/**
 * Requests by service and route in windows of 10 s, with errors, durations and their histogram, from
 * OTLP spans: the job of the comparison, on Flink.
 */
public final class Requests {
  private static final Duration WIDTH = Duration.ofSeconds(10);
  private static final Duration OUT_OF_ORDER = Duration.ofSeconds(5);

  private Requests() {}

  /** Runs until it is killed; args are name=value. */
  public static void main(String[] args) throws Exception {
    Map<String, String> options = Options.parse(args);
    StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(Integer.parseInt(options.get("threads")), settings(options));
    env.enableCheckpointing(Duration.parse(options.get("checkpoint")).toMillis(), CheckpointingMode.EXACTLY_ONCE);
    Decoder.of(options.get("decoder")); // says what is wrong with the name
    DataStream<Tuple2<String, byte[]>> results;
    if (options.get("fold").equals("record")) {
      results = env.fromSource(source(options, new FoldRecords(options.get("decoder"), WIDTH)),
              WatermarkStrategy.<Tuple3<String, Long, Totals>>forBoundedOutOfOrderness(OUT_OF_ORDER).withTimestampAssigner((part, was) -> part.f1), "parts")
          .keyBy(part -> part.f0, Types.STRING).window(TumblingEventTimeWindows.of(WIDTH))
          .aggregate(new AddUp.Parts(), new Result(), TotalsType.INFO, Result.TYPE);
    } else {
      results = env.fromSource(source(options, new DecodeSpans(options.get("decoder"))),
              WatermarkStrategy.<Tuple4<String, Long, Long, Boolean>>forBoundedOutOfOrderness(OUT_OF_ORDER).withTimestampAssigner((span, was) -> span.f1), "spans")
          .keyBy(span -> span.f0, Types.STRING).window(TumblingEventTimeWindows.of(WIDTH))
          .aggregate(new AddUp.Spans(), new Result(), TotalsType.INFO, Result.TYPE);
    }
    results.sinkTo(sink(options));
    env.execute("requests");
  }

  private static Configuration settings(Map<String, String> options) {
    Configuration c = new Configuration();
    c.set(PipelineOptions.OBJECT_REUSE, true);
    c.set(StateBackendOptions.STATE_BACKEND, options.get("store").equals("memory") ? "hashmap" : "rocksdb");
    c.set(CheckpointingOptions.CHECKPOINT_STORAGE, "filesystem");
    c.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, "file://" + options.get("dir"));
    c.set(TaskManagerOptions.MEMORY_SEGMENT_SIZE, MemorySize.ofMebiBytes(1).divide(8)); // 128 KiB: larger batches than by default
    c.set(TaskManagerOptions.NETWORK_MEMORY_MIN, MemorySize.ofMebiBytes(128));
    c.set(TaskManagerOptions.NETWORK_MEMORY_MAX, MemorySize.ofMebiBytes(128));
    return c;
  }

  private static <T> KafkaSource<T> source(Map<String, String> options, KafkaRecordDeserializationSchema<T> schema) {
    return KafkaSource.<T>builder()
        .setBootstrapServers(options.get("brokers")).setTopics(options.get("input")).setGroupId(options.get("group"))
        .setStartingOffsets(OffsetsInitializer.earliest()).setDeserializer(schema)
        .setProperty("max.poll.records", "10000").setProperty("fetch.min.bytes", "65536").setProperty("fetch.max.wait.ms", "50")
        .build();
  }

  private static KafkaSink<Tuple2<String, byte[]>> sink(Map<String, String> options) {
    return KafkaSink.<Tuple2<String, byte[]>>builder()
        .setBootstrapServers(options.get("brokers"))
        .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE).setTransactionalIdPrefix(options.get("group"))
        .setProperty("transaction.timeout.ms", "120000").setProperty("compression.type", options.get("compression"))
        .setProperty("batch.size", "524288").setProperty("linger.ms", "100")
        .setRecordSerializer(new WriteResults(options.get("output")))
        .build();
  }
}
