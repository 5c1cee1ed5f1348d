package io.flyball.peers.otlp;

/** Takes the spans of a record, one by one. */
public interface SpanSink {
  /**
   * Takes one span.
   *
   * @param key service and route, see {@link Keys}
   * @param end event time in nanoseconds since 1970
   * @param duration in nanoseconds
   * @param failed whether its status is ERROR
   */
  void span(String key, long end, long duration, boolean failed);
}
