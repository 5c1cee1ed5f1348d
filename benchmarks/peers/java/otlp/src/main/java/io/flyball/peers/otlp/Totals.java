package io.flyball.peers.otlp;

import java.nio.ByteBuffer;

/** What the job knows of the requests of one service and route in one window. */
public final class Totals {
  private long count;
  private long failed;
  private long nanos;
  private final LogHistogram durations = new LogHistogram();

  /** Adds one span. */
  public Totals add(long duration, boolean isFailed) {
    count++;
    if (isFailed) {
      failed++;
    }
    nanos += duration;
    durations.add(duration);
    return this;
  }

  /** Adds what another part of the window knows. */
  public Totals merge(Totals o) {
    count += o.count;
    failed += o.failed;
    nanos += o.nanos;
    durations.merge(o.durations);
    return this;
  }

  /** Returns a copy. */
  public Totals copy() {
    Totals t = new Totals();
    t.count = count;
    t.failed = failed;
    t.nanos = nanos;
    t.durations.copyFrom(durations);
    return t;
  }

  /** Returns the bytes of these totals. */
  public byte[] toBytes() {
    ByteBuffer b = ByteBuffer.allocate(24 + durations.size());
    write(b);
    return b.array();
  }

  /** Returns the bytes of a result: the start of the window in milliseconds, then the totals. */
  public byte[] toResult(long windowStart) {
    ByteBuffer b = ByteBuffer.allocate(32 + durations.size());
    write(b.putLong(windowStart));
    return b.array();
  }

  private void write(ByteBuffer b) {
    durations.write(b.putLong(count).putLong(failed).putLong(nanos));
  }

  /** Reads what toBytes wrote. */
  public static Totals fromBytes(byte[] data) {
    ByteBuffer b = ByteBuffer.wrap(data);
    Totals t = new Totals();
    t.count = b.getLong();
    t.failed = b.getLong();
    t.nanos = b.getLong();
    t.durations.read(b);
    return t;
  }
}
