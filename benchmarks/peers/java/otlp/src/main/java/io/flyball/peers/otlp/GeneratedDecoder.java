package io.flyball.peers.otlp;

import com.google.protobuf.InvalidProtocolBufferException;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.ScopeSpans;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status;
import io.opentelemetry.proto.trace.v1.TracesData;
import java.util.List;

/** Decodes OTLP traces by the classes that OpenTelemetry publishes, as most would. */
public final class GeneratedDecoder implements Decoder {
  @Override
  public void decode(byte[] record, SpanSink sink) {
    TracesData data;
    try {
      data = TracesData.parseFrom(record);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalArgumentException("cannot parse a record", e);
    }
    for (ResourceSpans resource : data.getResourceSpansList()) {
      String service = text(resource.getResource().getAttributesList(), "service.name");
      for (ScopeSpans scope : resource.getScopeSpansList()) {
        for (Span span : scope.getSpansList()) {
          long end = span.getEndTimeUnixNano();
          sink.span(service + '\0' + text(span.getAttributesList(), "http.route"), end, end - span.getStartTimeUnixNano(),
              span.getStatus().getCode() == Status.StatusCode.STATUS_CODE_ERROR);
        }
      }
    }
  }

  private static String text(List<KeyValue> attributes, String key) {
    for (KeyValue a : attributes) {
      if (a.getKey().equals(key)) {
        return a.getValue().getStringValue();
      }
    }
    return "";
  }
}
