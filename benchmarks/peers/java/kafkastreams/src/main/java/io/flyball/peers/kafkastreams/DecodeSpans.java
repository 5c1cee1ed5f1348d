package io.flyball.peers.kafkastreams;

import io.flyball.peers.kafkastreams.Requests.SpanValue;
import io.flyball.peers.otlp.Decoder;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.Record;

/** Makes a record of each span, at its own time. */
final class DecodeSpans extends ContextualProcessor<byte[], byte[], String, SpanValue> {
  private final Decoder decoder;

  DecodeSpans(Decoder decoder) {
    this.decoder = decoder;
  }

  @Override
  public void process(Record<byte[], byte[]> record) {
    decoder.decode(record.value(), (key, end, duration, failed) ->
        context().forward(new Record<>(key, new SpanValue(duration, failed), end / 1_000_000)));
  }
}
