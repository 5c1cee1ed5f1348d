package io.flyball.peers.flink;

import io.flyball.peers.otlp.Totals;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.streaming.api.functions.windowing.WindowFunction;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.util.Collector;

/** Makes the result of a window: its key, and its start with the totals. */
final class Result implements WindowFunction<Totals, Tuple2<String, byte[]>, String, TimeWindow> {
  static final TypeInformation<Tuple2<String, byte[]>> TYPE =
      Types.TUPLE(Types.STRING, PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO);

  @Override
  public void apply(String key, TimeWindow window, Iterable<Totals> totals, Collector<Tuple2<String, byte[]>> out) {
    totals.forEach(t -> out.collect(Tuple2.of(key, t.toResult(window.getStart()))));
  }
}
