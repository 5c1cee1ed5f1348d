package io.flyball.peers.kafkastreams;

import io.flyball.peers.otlp.Decoder;
import io.flyball.peers.otlp.Folder;
import io.flyball.peers.otlp.Totals;
import java.time.Duration;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.Record;

/** Adds up the spans of a record, so that fewer and larger parts go through the repartition topic. */
final class FoldRecords extends ContextualProcessor<byte[], byte[], String, Totals> {
  private final Decoder decoder;
  private final Folder folder;

  FoldRecords(Decoder decoder, Duration width) {
    this.decoder = decoder;
    this.folder = new Folder(width.toMillis());
  }

  @Override
  public void process(Record<byte[], byte[]> record) {
    decoder.decode(record.value(), folder);
    folder.drain((slot, totals) -> context().forward(new Record<>(slot.key(), totals, slot.start())));
  }
}
