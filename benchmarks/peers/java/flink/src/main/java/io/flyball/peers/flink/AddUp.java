package io.flyball.peers.flink;

import io.flyball.peers.otlp.Totals;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.api.java.tuple.Tuple4;

/** Adds to the totals of a window. */
abstract class AddUp<T> implements AggregateFunction<T, Totals, Totals> {
  @Override
  public Totals createAccumulator() {
    return new Totals();
  }

  @Override
  public Totals getResult(Totals totals) {
    return totals;
  }

  @Override
  public Totals merge(Totals a, Totals b) {
    return a.merge(b);
  }

  /** Adds spans. */
  static final class Spans extends AddUp<Tuple4<String, Long, Long, Boolean>> {
    @Override
    public Totals add(Tuple4<String, Long, Long, Boolean> span, Totals totals) {
      return totals.add(span.f2, span.f3);
    }
  }

  /** Adds what the spans of a record came to. */
  static final class Parts extends AddUp<Tuple3<String, Long, Totals>> {
    @Override
    public Totals add(Tuple3<String, Long, Totals> part, Totals totals) {
      return totals.merge(part.f2);
    }
  }
}
