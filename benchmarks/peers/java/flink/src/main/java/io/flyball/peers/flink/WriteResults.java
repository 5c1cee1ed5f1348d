package io.flyball.peers.flink;

import java.nio.charset.StandardCharsets;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Makes a record of a result. */
final class WriteResults implements KafkaRecordSerializationSchema<Tuple2<String, byte[]>> {
  private final String topic;

  WriteResults(String topic) {
    this.topic = topic;
  }

  @Override
  public ProducerRecord<byte[], byte[]> serialize(Tuple2<String, byte[]> result, KafkaSinkContext context, Long timestamp) {
    return new ProducerRecord<>(topic, result.f0.getBytes(StandardCharsets.UTF_8), result.f1);
  }
}
