package io.flyball.peers.otlp;

import java.util.HashMap;
import java.util.Map;
import java.util.function.BiConsumer;

/** Folds the spans of one record by key and window, before they are sent to where the key lives. */
public final class Folder implements SpanSink {
  /** A key in a window that starts at a time in milliseconds. */
  public record Slot(String key, long start) {}

  private final Map<Slot, Totals> slots = new HashMap<>();
  private final long width;

  /** Returns a folder for windows of that many milliseconds. */
  public Folder(long width) {
    this.width = width;
  }

  @Override
  public void span(String key, long end, long duration, boolean failed) {
    long millis = end / 1_000_000;
    slots.computeIfAbsent(new Slot(key, millis - millis % width), s -> new Totals()).add(duration, failed);
  }

  /** Hands out what was folded and forgets it. */
  public void drain(BiConsumer<Slot, Totals> to) {
    slots.forEach(to);
    slots.clear();
  }
}
