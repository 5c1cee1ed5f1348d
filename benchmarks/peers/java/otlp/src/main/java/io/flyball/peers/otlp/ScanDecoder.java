package io.flyball.peers.otlp;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Decodes OTLP traces by hand: it walks the bytes of the record and steps over what the job does not
 * need. It makes no objects but for services and routes that it has not seen before.
 */
public final class ScanDecoder implements Decoder {
  private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final byte[] SERVICE = "service.name".getBytes(StandardCharsets.UTF_8);
  private static final byte[] ROUTE = "http.route".getBytes(StandardCharsets.UTF_8);
  private static final byte[] NONE = {};

  private final Keys keys = new Keys();
  private byte[] b;
  private int at;
  private byte[] service = NONE;
  private int serviceHash;
  // The place of the text that attribute() found.
  private int from;
  private int to;

  @Override
  public void decode(byte[] record, SpanSink sink) {
    b = record;
    at = 0;
    while (at < b.length) {
      int tag = (int) varint();
      if (tag == (1 << 3 | 2)) { // resource_spans
        resourceSpans(end(), sink);
      } else {
        skip(tag);
      }
    }
  }

  private void resourceSpans(int end, SpanSink sink) {
    setService(NONE, 0, 0);
    while (at < end) {
      int tag = (int) varint();
      switch (tag) {
        case 1 << 3 | 2 -> resource(end());
        case 2 << 3 | 2 -> scopeSpans(end(), sink);
        default -> skip(tag);
      }
    }
  }

  private void resource(int end) {
    while (at < end) {
      int tag = (int) varint();
      if (tag != (1 << 3 | 2)) {
        skip(tag);
        continue;
      }
      int stop = end();
      if (attribute(stop, SERVICE)) {
        setService(b, from, to);
      }
      at = stop;
    }
  }

  private void setService(byte[] in, int from, int to) {
    if (!Arrays.equals(service, 0, service.length, in, from, to)) {
      service = Arrays.copyOfRange(in, from, to);
    }
    serviceHash = Keys.hash(service, 0, service.length);
  }

  private void scopeSpans(int end, SpanSink sink) {
    while (at < end) {
      int tag = (int) varint();
      if (tag == (2 << 3 | 2)) {
        span(end(), sink);
      } else {
        skip(tag);
      }
    }
  }

  private void span(int end, SpanSink sink) {
    long start = 0;
    long stop = 0;
    boolean failed = false;
    int routeFrom = 0;
    int routeTo = 0;
    while (at < end) {
      int tag = (int) varint();
      switch (tag) {
        case 7 << 3 | 1 -> start = fixed64();
        case 8 << 3 | 1 -> stop = fixed64();
        case 9 << 3 | 2 -> {
          int next = end();
          if (attribute(next, ROUTE)) {
            routeFrom = from;
            routeTo = to;
          }
          at = next;
        }
        case 15 << 3 | 2 -> failed = failed(end());
        default -> skip(tag);
      }
    }
    sink.span(keys.key(service, serviceHash, b, routeFrom, routeTo), stop, stop - start, failed);
  }

  private boolean failed(int end) {
    boolean failed = false;
    while (at < end) {
      int tag = (int) varint();
      if (tag == 3 << 3) {
        failed = varint() == 2;
      } else {
        skip(tag);
      }
    }
    return failed;
  }

  /** Reports whether the KeyValue up to end has that key and a text, and where the text is. */
  private boolean attribute(int end, byte[] key) {
    if (at >= end || b[at] != (1 << 3 | 2)) {
      return false;
    }
    at++;
    int stop = end();
    if (stop - at != key.length || !Arrays.equals(b, at, stop, key, 0, key.length)) {
      return false;
    }
    at = stop;
    if (at >= end || b[at] != (2 << 3 | 2)) {
      return false;
    }
    at++;
    stop = end();
    if (at >= stop || b[at] != (1 << 3 | 2)) {
      return false;
    }
    at++;
    to = end();
    from = at;
    return true;
  }

  private int end() {
    int length = (int) varint();
    return at + length;
  }

  private long fixed64() {
    long v = (long) LONG.get(b, at);
    at += 8;
    return v;
  }

  private long varint() {
    byte c = b[at++];
    if (c >= 0) {
      return c;
    }
    long v = c & 0x7f;
    for (int shift = 7; ; shift += 7) {
      c = b[at++];
      v |= (long) (c & 0x7f) << shift;
      if (c >= 0) {
        return v;
      }
    }
  }

  private void skip(int tag) {
    switch (tag & 7) {
      case 0 -> varint();
      case 1 -> at += 8;
      case 2 -> at = end();
      case 5 -> at += 4;
      default -> throw new IllegalArgumentException("cannot skip wire type " + (tag & 7));
    }
  }
}
