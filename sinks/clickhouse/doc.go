// Package clickhouse records Flyball's results in ClickHouse: windows and SLO
// status column by column from Arrow records, findings, decisions, commands and
// dead letters from rows.
//
// The package owns the tables: their definition is in schema/*.sql and is
// applied by [DB.Migrate]. Reports read the views v_*, which hide corrections
// and repeated rows.
//
// # Exactly once
//
// An insert carries a deduplication token that the caller derives from the
// position of the rows in their topic, so that the same rows sent again are
// dropped by the server. Beyond the server's memory of tokens, the tables
// replace rows with the same key, and the views never show one twice.
//
// # Column by column
//
// [Writer.Insert] takes an Arrow record whose column names are the names of the
// table's columns. Numbers go to clickhouse-go straight from the Arrow buffers,
// strings without a copy; nothing is turned into rows.
package clickhouse
