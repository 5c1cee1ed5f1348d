package io.flyball.peers.flink;

import io.flyball.peers.otlp.Decoder;
import io.flyball.peers.otlp.Folder;
import io.flyball.peers.otlp.Totals;
import java.time.Duration;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Adds up the spans of a record, so that fewer and larger parts are shuffled: key, start of the window, totals. */
final class FoldRecords implements KafkaRecordDeserializationSchema<Tuple3<String, Long, Totals>> {
  private final String name;
  private final long width;
  private transient Decoder decoder;
  private transient Folder folder;

  FoldRecords(String decoder, Duration width) {
    name = decoder;
    this.width = width.toMillis();
  }

  @Override
  public void open(DeserializationSchema.InitializationContext context) {
    decoder = Decoder.of(name);
    folder = new Folder(width);
  }

  @Override
  public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<Tuple3<String, Long, Totals>> out) {
    decoder.decode(record.value(), folder);
    folder.drain((slot, totals) -> out.collect(Tuple3.of(slot.key(), slot.start(), totals)));
  }

  @Override
  public TypeInformation<Tuple3<String, Long, Totals>> getProducedType() {
    return Types.TUPLE(Types.STRING, Types.LONG, TotalsType.INFO);
  }
}
