package io.flyball.peers.otlp;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Prints what the decoders cost per span, for the records in a file: a length of four bytes each, then the bytes. */
public final class DecoderComparison {
  private DecoderComparison() {}

  public static void main(String[] args) throws IOException {
    ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(Path.of(args[0])));
    List<byte[]> records = new ArrayList<>();
    while (file.hasRemaining()) {
      byte[] record = new byte[file.getInt()];
      file.get(record);
      records.add(record);
    }
    for (int round = 0; round < 3; round++) {
      for (String name : List.of("generated", "scan")) {
        System.out.printf("%s %.0f ns/span%n", name, measure(Decoder.of(name), records));
      }
    }
  }

  private static double measure(Decoder decoder, List<byte[]> records) {
    long[] seen = new long[2];
    SpanSink sink = (key, end, duration, failed) -> {
      seen[0]++;
      seen[1] += duration + key.length();
    };
    long start = System.nanoTime();
    do {
      records.forEach(r -> decoder.decode(r, sink));
    } while (System.nanoTime() - start < 3_000_000_000L);
    return (double) (System.nanoTime() - start) / seen[0];
  }
}
