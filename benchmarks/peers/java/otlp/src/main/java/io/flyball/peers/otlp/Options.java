package io.flyball.peers.otlp;

import java.util.HashMap;
import java.util.Map;

/** Reads the command line of a peer. */
public final class Options {
  private Options() {}

  /** Parses arguments of the form name=value. Asking for one that is not there fails. */
  public static Map<String, String> parse(String[] args) {
    Map<String, String> options = new HashMap<>() {
      @Override
      public String get(Object name) {
        String value = super.get(name);
        if (value == null) {
          throw new IllegalArgumentException("cannot find argument " + name + "=VALUE");
        }
        return value;
      }
    };
    for (String arg : args) {
      int at = arg.indexOf('=');
      if (at < 0) {
        throw new IllegalArgumentException("cannot use argument " + arg + ": want name=value");
      }
      options.put(arg.substring(0, at), arg.substring(at + 1));
    }
    return options;
  }
}
