package io.flyball.peers.flink;

import io.flyball.peers.otlp.Totals;
import java.io.IOException;
import org.apache.flink.api.common.serialization.SerializerConfig;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.base.TypeSerializerSingleton;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** Tells Flink how totals are written: by their own bytes, which is faster than what it would find out by itself. */
final class TotalsType extends TypeInformation<Totals> {
  static final TotalsType INFO = new TotalsType();

  @Override
  public boolean isBasicType() {
    return false;
  }

  @Override
  public boolean isTupleType() {
    return false;
  }

  @Override
  public int getArity() {
    return 1;
  }

  @Override
  public int getTotalFields() {
    return 1;
  }

  @Override
  public Class<Totals> getTypeClass() {
    return Totals.class;
  }

  @Override
  public boolean isKeyType() {
    return false;
  }

  @Override
  public TypeSerializer<Totals> createSerializer(SerializerConfig config) {
    return Serializer.INSTANCE;
  }

  @Override
  public String toString() {
    return "Totals";
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof TotalsType;
  }

  @Override
  public int hashCode() {
    return 1;
  }

  @Override
  public boolean canEqual(Object o) {
    return o instanceof TotalsType;
  }

  /** Writes and reads totals. */
  static final class Serializer extends TypeSerializerSingleton<Totals> {
    static final Serializer INSTANCE = new Serializer();

    @Override
    public boolean isImmutableType() {
      return false;
    }

    @Override
    public Totals createInstance() {
      return new Totals();
    }

    @Override
    public Totals copy(Totals from) {
      return from.copy();
    }

    @Override
    public Totals copy(Totals from, Totals reuse) {
      return from.copy();
    }

    @Override
    public int getLength() {
      return -1;
    }

    @Override
    public void serialize(Totals totals, DataOutputView to) throws IOException {
      byte[] data = totals.toBytes();
      to.writeInt(data.length);
      to.write(data);
    }

    @Override
    public Totals deserialize(DataInputView from) throws IOException {
      byte[] data = new byte[from.readInt()];
      from.readFully(data);
      return Totals.fromBytes(data);
    }

    @Override
    public Totals deserialize(Totals reuse, DataInputView from) throws IOException {
      return deserialize(from);
    }

    @Override
    public void copy(DataInputView from, DataOutputView to) throws IOException {
      int length = from.readInt();
      to.writeInt(length);
      to.write(from, length);
    }

    @Override
    public TypeSerializerSnapshot<Totals> snapshotConfiguration() {
      return new Snapshot();
    }
  }

  /** Says that the serializer never changes. */
  public static final class Snapshot extends SimpleTypeSerializerSnapshot<Totals> {
    /** Is called by Flink. */
    public Snapshot() {
      super(() -> Serializer.INSTANCE);
    }
  }
}
