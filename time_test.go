package flyball

import (
	"encoding/json"
	"math"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var anyTime = rapid.Custom(func(t *rapid.T) Time {
	return Time(rapid.OneOf(
		rapid.Int64(), rapid.Int64Range(-1e12, 1e12),
		rapid.Int64Range(math.MaxInt64-1e11, math.MaxInt64), rapid.Int64Range(math.MinInt64, math.MinInt64+1e11),
	).Draw(t, "time"))
})

func TestFloorIsTheStartOfItsSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := anyTime.Draw(t, "at")
		d := time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "d"))
		floor := at.Floor(d)
		if at == NoTime {
			if floor != NoTime {
				t.Fatalf("the floor of NoTime is %d", floor)
			}
			return
		}
		if int64(floor)%int64(d) != 0 {
			t.Fatalf("%d is no multiple of %d", floor, d)
		}
		first := NoTime + 1 + Time(d) // slices before may begin out of range
		if at >= first && (floor > at || at.Sub(floor) >= d) {
			t.Fatalf("%d is not in the slice from %d of width %d", at, floor, d)
		}
		if floor == NoTime || floor > at && at >= first {
			t.Fatalf("the floor of %d is %d", at, floor)
		}
	})
}

func TestAddSaturates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := anyTime.Draw(t, "at")
		d := time.Duration(rapid.Int64().Draw(t, "d"))
		got := at.Add(d)
		if at == NoTime {
			if got != NoTime {
				t.Fatalf("NoTime moved to %d", got)
			}
			return
		}
		want := new(big.Int).Add(big.NewInt(int64(at)), big.NewInt(int64(d)))
		switch {
		case want.Cmp(big.NewInt(math.MaxInt64)) > 0:
			want.SetInt64(math.MaxInt64)
		case want.Cmp(big.NewInt(math.MinInt64+1)) < 0:
			want.SetInt64(math.MinInt64 + 1)
		}
		if int64(got) != want.Int64() {
			t.Fatalf("%d + %d = %d, want %d", at, d, got, want)
		}
	})
}

func TestTimeInJSON(t *testing.T) {
	f := func(at Time, want string) {
		t.Helper()
		b, err := json.Marshal(at)
		if err != nil || string(b) != want {
			t.Errorf("%d is %s, %v, want %s", at, b, err, want)
			return
		}
		var back Time
		if err := json.Unmarshal(b, &back); err != nil || back != at {
			t.Errorf("%s is read as %d, %v, want %d", b, back, err, at)
		}
	}
	f(0, `"1970-01-01T00:00:00Z"`)
	f(1_700_000_000_123_456_789, `"2023-11-14T22:13:20.123456789Z"`)
	f(-1, `"1969-12-31T23:59:59.999999999Z"`)
	f(NoTime, `null`)
	f(math.MaxInt64, `"2262-04-11T23:47:16.854775807Z"`)
	for _, bad := range []string{`12`, `"yesterday"`, `""`} {
		var at Time
		if err := json.Unmarshal([]byte(bad), &at); err == nil {
			t.Errorf("%s is read as %v", bad, at)
		}
	}
	if NoTime.String() != "-" || TimeOf(time.Unix(1, 5)) != 1_000_000_005 {
		t.Error("NoTime or TimeOf is wrong")
	}
}
