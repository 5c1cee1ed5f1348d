package io.flyball.peers.otlp;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A histogram of durations whose bucket i is (2^(i/32), 2^((i+1)/32)]: OpenTelemetry's exponential
 * histogram at scale 5, as Flyball has it, so that results can be compared bucket by bucket.
 */
public final class LogHistogram {
  private static final long MANTISSA = (1L << 52) - 1;

  /**
   * Counts the edges of buckets below a mantissa, by its top six bits: edges at or below the start of
   * the slice, times 2^52, plus what carries a mantissa above the edge in the slice into the count.
   */
  private static final long[] EDGES = {
    0x0000000000000000L, 0x000fa64f2cea7a8cL, 0x001f4aa7930676f1L, 0x0020000000000000L,
    0x002eecfe2feda4b0L, 0x003e8d47c382ae86L, 0x0040000000000000L, 0x004e2b78ce974656L,
    0x005dc785918a9dc8L, 0x0060000000000000L, 0x006d61620ae0211fL, 0x0070000000000000L,
    0x007cf901f5ce48ebL, 0x008c8e58c8c55636L, 0x0090000000000000L, 0x009c2159b3edcbdeL,
    0x00a0000000000000L, 0x00abb1f79f9e76d3L, 0x00bb40252ac9d5d9L, 0x00c0000000000000L,
    0x00cacbd4a962b07fL, 0x00d0000000000000L, 0x00da54f822b7abd7L, 0x00e0000000000000L,
    0x00e9db814fc5aa7cL, 0x00f0000000000000L, 0x00f95f619980c434L, 0x0100000000000000L,
    0x0108e08a1713a08dL, 0x0110000000000000L, 0x01185eeb8c14fe7aL, 0x0120000000000000L,
    0x0127da7666b331eeL, 0x0130000000000000L, 0x0137531abdd55f25L, 0x0140000000000000L,
    0x0146c8c84f323a1cL, 0x0150000000000000L, 0x0150000000000000L, 0x01563b6e7d5c0f70L,
    0x0160000000000000L, 0x0165aafc4dc1daa4L, 0x0170000000000000L, 0x0175176066a52c53L,
    0x0180000000000000L, 0x018480890d04a1baL, 0x0190000000000000L, 0x0190000000000000L,
    0x0193e664227aad64L, 0x01a0000000000000L, 0x01a348df23106f97L, 0x01b0000000000000L,
    0x01b0000000000000L, 0x01b2a7e723045b79L, 0x01c0000000000000L, 0x01c20368cc8464a2L,
    0x01d0000000000000L, 0x01d0000000000000L, 0x01d15b505d5b6f27L, 0x01e0000000000000L,
    0x01e0000000000000L, 0x01e0af89a491bac0L, 0x01f0000000000000L, 0x01f0000000000000L,
  };

  private int base;
  private int[] counts = {};
  private int zero;

  /** Adds a duration, in nanoseconds. */
  public void add(long v) {
    if (v <= 0) {
      zero++;
      return;
    }
    int i = index(v);
    int at = i - base;
    if (at < 0 || at >= counts.length) {
      reserve(i, i);
      at = i - base;
    }
    counts[at]++;
  }

  static int index(long v) {
    long bits = Double.doubleToRawLongBits(v) - 1;
    long m = bits & MANTISSA;
    return ((int) (bits >>> 52) - 1023 << 5) + (int) (EDGES[(int) (m >>> 46)] + m >>> 52);
  }

  /** Adds another histogram. */
  public void merge(LogHistogram o) {
    zero += o.zero;
    if (o.counts.length == 0) {
      return;
    }
    reserve(o.base, o.base + o.counts.length - 1);
    for (int i = 0; i < o.counts.length; i++) {
      counts[o.base - base + i] += o.counts[i];
    }
  }

  /** Makes room for buckets lo to hi, and some beside them, so that it seldom has to. */
  private void reserve(int lo, int hi) {
    if (counts.length > 0) {
      if (lo >= base && hi < base + counts.length) {
        return;
      }
      lo = Math.min(lo, base);
      hi = Math.max(hi, base + counts.length - 1);
    }
    int first = lo & -16;
    int[] grown = new int[(hi - first | 15) + 1];
    System.arraycopy(counts, 0, grown, counts.length == 0 ? 0 : base - first, counts.length);
    base = first;
    counts = grown;
  }

  int size() {
    return 12 + 4 * counts.length;
  }

  void write(ByteBuffer to) {
    to.putInt(zero).putInt(base).putInt(counts.length);
    to.asIntBuffer().put(counts);
    to.position(to.position() + 4 * counts.length);
  }

  void read(ByteBuffer from) {
    zero = from.getInt();
    base = from.getInt();
    counts = new int[from.getInt()];
    from.asIntBuffer().get(counts);
    from.position(from.position() + 4 * counts.length);
  }

  void copyFrom(LogHistogram o) {
    zero = o.zero;
    base = o.base;
    counts = Arrays.copyOf(o.counts, o.counts.length);
  }
}
