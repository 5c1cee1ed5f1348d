package io.flyball.peers.flink;

import io.flyball.peers.otlp.Decoder;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple4;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Makes a tuple of each span: its key, its end in milliseconds, its duration in nanoseconds, whether it failed. */
final class DecodeSpans implements KafkaRecordDeserializationSchema<Tuple4<String, Long, Long, Boolean>> {
  private final String name;
  private transient Decoder decoder;

  DecodeSpans(String decoder) {
    name = decoder;
  }

  @Override
  public void open(DeserializationSchema.InitializationContext context) {
    decoder = Decoder.of(name);
  }

  @Override
  public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<Tuple4<String, Long, Long, Boolean>> out) {
    decoder.decode(record.value(), (key, end, duration, failed) -> out.collect(Tuple4.of(key, end / 1_000_000, duration, failed)));
  }

  @Override
  public TypeInformation<Tuple4<String, Long, Long, Boolean>> getProducedType() {
    return Types.TUPLE(Types.STRING, Types.LONG, Types.LONG, Types.BOOLEAN);
  }
}
