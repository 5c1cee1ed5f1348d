package notifications

import (
	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the numbers that the role shows.
type Metrics struct {
	notifications *prometheus.CounterVec
	pending       *prometheus.GaugeVec
	circuit       *prometheus.GaugeVec
}

// NewMetrics registers the metrics with r.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		notifications: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "flyball_notifications_total",
			Help: "Notifications by what came of them: sent, skipped, refused or failed, and those that were not needed: grouped, resolved_before or expired."}, []string{"receiver", "result"}),
		pending: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "flyball_notifications_pending",
			Help: "Findings with news that a receiver has not been told yet."}, []string{"receiver"}),
		circuit: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "flyball_notifications_circuit_open",
			Help: "1 while a receiver is left alone because it failed."}, []string{"receiver"}),
	}
	r.MustRegister(m.notifications, m.pending, m.circuit)
	return m
}
