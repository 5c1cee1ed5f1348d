package io.flyball.peers.otlp;

/** Decodes records of OTLP traces. Not safe for use by several threads. */
public interface Decoder {
  /** Hands the spans of a record to a sink. */
  void decode(byte[] record, SpanSink sink);

  /** Returns the decoder of that name: scan or generated. */
  static Decoder of(String name) {
    return switch (name) {
      case "scan" -> new ScanDecoder();
      case "generated" -> new GeneratedDecoder();
      default -> throw new IllegalArgumentException("cannot use decoder " + name + ": want scan or generated");
    };
  }
}
