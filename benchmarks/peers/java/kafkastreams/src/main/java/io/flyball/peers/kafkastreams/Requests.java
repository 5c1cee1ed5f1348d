package io.flyball.peers.kafkastreams;

import io.flyball.peers.otlp.Decoder;
import io.flyball.peers.otlp.Options;
import io.flyball.peers.otlp.Totals;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TimeWindowedKStream;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowBytesStoreSupplier;
import org.apache.kafka.streams.state.WindowStore;

/**
 * Requests by service and route in windows of 10 s, with errors, durations and their histogram, from
 * OTLP spans: the job of the comparison, on Kafka Streams.
 */
public final class Requests {
  private static final Duration WIDTH = Duration.ofSeconds(10);

  private static final Serde<Totals> TOTALS = Serdes.serdeFrom(
      (topic, t) -> t == null ? null : t.toBytes(), (topic, b) -> b == null ? null : Totals.fromBytes(b));
  private static final Serde<SpanValue> SPAN = Serdes.serdeFrom(
      (topic, s) -> ByteBuffer.allocate(9).putLong(s.duration()).put((byte) (s.failed() ? 1 : 0)).array(),
      (topic, b) -> new SpanValue(ByteBuffer.wrap(b).getLong(), b[8] == 1));

  private Requests() {}

  /** What the job needs of a span beside its key and time. */
  record SpanValue(long duration, boolean failed) {}

  /** Runs until it is killed; args are name=value. */
  public static void main(String[] args) {
    Map<String, String> options = Options.parse(args);
    KafkaStreams streams = new KafkaStreams(topology(options), settings(options));
    streams.setUncaughtExceptionHandler(e -> {
      e.printStackTrace();
      Runtime.getRuntime().halt(1);
      return null;
    });
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }

  private static Topology topology(Map<String, String> options) {
    StreamsBuilder builder = new StreamsBuilder();
    KStream<byte[], byte[]> records = builder.stream(options.get("input"), Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()));
    Duration grace = Duration.parse(options.get("grace"));
    TimeWindows windows = TimeWindows.ofSizeAndGrace(WIDTH, grace);
    WindowBytesStoreSupplier store = options.get("store").equals("memory")
        ? Stores.inMemoryWindowStore("requests", WIDTH.plus(grace), WIDTH, false)
        : Stores.persistentTimestampedWindowStore("requests", WIDTH.plus(grace), WIDTH, false);
    Materialized<String, Totals, WindowStore<Bytes, byte[]>> materialized =
        Materialized.<String, Totals>as(store).withKeySerde(Serdes.String()).withValueSerde(TOTALS).withCachingEnabled();
    Decoder.of(options.get("decoder")); // says what is wrong with the name
    KTable<Windowed<String>, Totals> requests;
    if (options.get("fold").equals("record")) {
      requests = records.process(() -> new FoldRecords(Decoder.of(options.get("decoder")), WIDTH))
          .groupByKey(Grouped.with("by-route", Serdes.String(), TOTALS)).windowedBy(windows)
          .aggregate(Totals::new, (key, part, total) -> total.merge(part), materialized);
    } else {
      TimeWindowedKStream<String, SpanValue> spans = records.process(() -> new DecodeSpans(Decoder.of(options.get("decoder"))))
          .groupByKey(Grouped.with("by-route", Serdes.String(), SPAN)).windowedBy(windows);
      requests = spans.aggregate(Totals::new, (key, span, total) -> total.add(span.duration(), span.failed()), materialized);
    }
    requests.suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded()))
        .toStream((window, totals) -> window)
        .map((window, totals) -> KeyValue.pair(window.key(), totals.toResult(window.window().start())))
        .to(options.get("output"), Produced.with(Serdes.String(), Serdes.ByteArray()));
    return builder.build();
  }

  /** Settings that differ from the defaults: large batches, and a commit per second instead of ten. */
  private static Properties settings(Map<String, String> options) {
    Properties p = new Properties();
    p.put(StreamsConfig.APPLICATION_ID_CONFIG, options.get("group"));
    p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, options.get("brokers"));
    p.put(StreamsConfig.STATE_DIR_CONFIG, options.get("dir"));
    p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, options.get("threads"));
    p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, options.get("commit"));
    p.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 256L << 20);
    p.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    p.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, StreamsConfig.OPTIMIZE);
    p.put(StreamsConfig.METRICS_RECORDING_LEVEL_CONFIG, "INFO");
    p.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 10_000);
    p.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    p.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 10_000);
    p.put(StreamsConfig.consumerPrefix(ConsumerConfig.FETCH_MIN_BYTES_CONFIG), 64 << 10);
    p.put(StreamsConfig.consumerPrefix(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG), 50);
    p.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 512 << 10);
    p.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 100);
    p.put(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), 128L << 20);
    p.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), options.get("compression"));
    return p;
  }
}
