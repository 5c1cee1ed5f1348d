package io.flyball.peers.otlp;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Makes the key of a span, its service, a zero and its route, from bytes. Each key is made once, so
 * that the usual span costs no string: an open hash table that grows.
 */
final class Keys {
  private static final class Entry {
    byte[] service;
    byte[] route;
    String key;
  }

  private Entry[] table = new Entry[256];
  private int used;

  /** Returns the key of a service, whose hash is known, and a route within a record. */
  String key(byte[] service, int serviceHash, byte[] in, int from, int to) {
    int hash = (serviceHash * 31 + hash(in, from, to)) * 0x9E3779B9;
    for (int at = hash >>> 8; ; at++) {
      Entry e = table[at & table.length - 1];
      if (e == null) {
        return add(service, serviceHash, in, from, to);
      }
      if (Arrays.equals(e.route, 0, e.route.length, in, from, to) && Arrays.equals(e.service, service)) {
        return e.key;
      }
    }
  }

  static int hash(byte[] b, int from, int to) {
    int h = 1;
    for (int i = from; i < to; i++) {
      h = h * 31 + b[i];
    }
    return h;
  }

  private String add(byte[] service, int serviceHash, byte[] in, int from, int to) {
    Entry e = new Entry();
    e.service = service;
    e.route = Arrays.copyOfRange(in, from, to);
    e.key = new String(service, StandardCharsets.UTF_8) + '\0' + new String(e.route, StandardCharsets.UTF_8);
    if (++used * 2 > table.length) {
      Entry[] old = table;
      table = new Entry[2 * old.length];
      for (Entry o : old) {
        if (o != null) {
          put(o, Keys.hash(o.service, 0, o.service.length));
        }
      }
    }
    put(e, serviceHash);
    return e.key;
  }

  private void put(Entry e, int serviceHash) {
    int at = (serviceHash * 31 + hash(e.route, 0, e.route.length)) * 0x9E3779B9 >>> 8;
    while (table[at & table.length - 1] != null) {
      at++;
    }
    table[at & table.length - 1] = e;
  }
}
