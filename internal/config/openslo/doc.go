// Package openslo turns OpenSLO v1 documents (Service, DataSource, SLI, SLO and the
// kinds of alert policies) into the SLOs that the stages work with, and SLOs into
// documents.
package openslo
